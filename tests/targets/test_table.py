"""The table of docs/targets.md: what it counts is the catalogue as it is, and its columns are the whole of it."""

from __future__ import annotations

import re

from authctl.virtual_authenticator.faults.catalogue import cases
from tests.targets.table import PAGE

TABLE = PAGE.read_text(encoding="utf-8").partition("<!-- table: findings -->")[2].partition("<!-- end -->")[0]
LINES = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line.startswith("| ")]


def test_it_counts_every_case_of_the_catalogue() -> None:
    told = re.search(r"(\d+) cases each", TABLE)
    assert told is not None
    assert int(told.group(1)) == len(cases())


def test_each_case_is_counted_in_one_column() -> None:
    headings, *servers = [line for line in LINES if line[-1] == "not applicable" or line[-1].isdigit()]
    part = headings.index("against a must")
    for server in servers:
        assert sum(int(cell) for place, cell in enumerate(server) if place not in (0, part)) == len(cases()), server


def test_each_case_is_told_in_its_own_words() -> None:
    words = {f"`{case.name}`": case.alters for case in cases()}
    rows = [line for line in LINES if line[1] in words or line[1].startswith("`")]
    assert rows
    assert {line[1]: line[0] for line in rows} == {line[1]: words[line[1]] for line in rows}
