"""Where addresses are, and logins from somewhere new."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import UsageError
from authctl.server.audit.detect.catalogue import rules_named
from authctl.server.audit.detect.countries import open_countries
from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import CannotRun, Thresholds
from tests.server.audit.detect.lists import DAY, Story
from tests.server.audit.detect.mmdb import mmdb
from tests.server.audit.detect.rehearsals import FRENCH, GERMAN

if TYPE_CHECKING:
    from pathlib import Path

A_DAY = 86_400


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "fe80::1", "192.0.2.1", "100.64.0.1", "local", ""])
def test_an_address_that_is_not_of_the_internet_is_in_no_country(address: str, tmp_path: Path) -> None:
    everywhere = write(tmp_path, {"0.0.0.0/1": {"country": {"iso_code": "DE"}}})
    assert open_countries(None)(address) is None
    assert open_countries(everywhere)(address) is None


def test_the_embedded_database_knows_the_registries_assignments() -> None:
    countries = open_countries(None)
    assert (countries(GERMAN), countries(FRENCH), countries("2a00:1450::1")) == ("DE", "FR", "IE")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"country": {"iso_code": "DE"}}, "DE"),
        ({"registered_country": {"iso_code": "FR"}}, "FR"),
        ({"country_code": "at"}, "AT"),
        ({"country": "CH"}, "CH"),
        ({"country": "Switzerland", "country_code": "CH"}, "CH"),
        ({"country": {"names": {}}}, None),
        ({}, None),
        ("DE", None),
    ],
)
def test_codes_are_found_wherever_makers_of_files_put_them(record: Any, expected: str | None, tmp_path: Path) -> None:
    assert open_countries(write(tmp_path, {"8.8.8.0/24": record}))("8.8.8.8") == expected


def test_a_file_of_one_ip_version_does_not_know_the_other(tmp_path: Path) -> None:
    countries = open_countries(write(tmp_path, {"8.8.8.0/24": {"country": {"iso_code": "DE"}}}))
    assert countries("2a00:1450::1") is None
    assert countries("9.9.9.9") is None


def test_a_file_that_is_missing_or_no_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"DETECT_COUNTRY_DATABASE .*gone.mmdb cannot be read"):
        open_countries(tmp_path / "gone.mmdb")
    (tmp_path / "text.mmdb").write_text("no database")
    with pytest.raises(UsageError, match="cannot be read"):
        open_countries(tmp_path / "text.mmdb")


def test_a_file_that_is_damaged_further_in_is_named(tmp_path: Path) -> None:
    content = bytearray(mmdb({"8.8.8.0/24": {"country": {"iso_code": "DE"}}}))
    place = content.index(b"country") - 1
    content[place] = 0b11111111
    (tmp_path / "damaged.mmdb").write_bytes(bytes(content))
    countries = open_countries(tmp_path / "damaged.mmdb")
    with pytest.raises(UsageError, match=r"damaged.mmdb is damaged"):
        countries("8.8.8.8")


@pytest.mark.parametrize("library", ["iptocc", "maxminddb"])
def test_without_its_library_the_rule_is_reported_as_not_run(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    database = tmp_path / "x.mmdb" if library == "maxminddb" else None
    with pytest.raises(CannotRun) as caught:
        open_countries(database)
    assert caught.value.hint == "pip install 'authctl[geo]'"
    report = detect(Story().source(), DAY, Thresholds(country_database=database))
    assert [(one.rule, one.hint) for one in report.not_run] == [("new-country", "pip install 'authctl[geo]'")]
    assert "new-country" not in report.ran


def test_a_country_that_was_known_before_the_window_is_not_new() -> None:
    story = Story()
    for days in (-80, -60):
        story.log_in(days * A_DAY, ip_address=FRENCH)
    story.log_in(-70 * A_DAY, ip_address=GERMAN)
    story.log_in(0, ip_address=GERMAN)
    assert story.found("new-country") == []
    assert len(story.found("new-country", country_history_days=65)) == 1


def test_the_first_login_of_an_account_and_private_addresses_are_no_news() -> None:
    story = Story()
    story.log_in(-5 * A_DAY, ip_address="10.0.0.1")
    story.log_in(0, ip_address=GERMAN)
    story.log_in(1, ip_address="10.0.0.2")
    story.log_in(2, ip_address=FRENCH, user_email=None)
    assert story.found("new-country") == []


def test_a_new_country_is_told_once_with_all_of_its_logins() -> None:
    story = Story()
    story.log_in(-5 * A_DAY, ip_address=GERMAN)
    for second in range(3):
        story.log_in(second, ip_address=FRENCH)
    [finding] = story.found("new-country")
    assert "logged in from FR for the first time: 3 logins" in finding.sentence
    assert "before, from DE" in finding.sentence


def test_an_operators_file_decides_in_place_of_the_embedded_database(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"90.0.0.0/8": {"country": {"iso_code": "DE"}}, "5.0.0.0/8": {"country": {"iso_code": "DE"}}}
    )
    story = Story()
    story.log_in(-5 * A_DAY, ip_address=GERMAN)
    story.log_in(0, ip_address=FRENCH)
    assert story.found("new-country", country_database=path) == []


def test_history_is_not_read_when_nobody_logged_in() -> None:
    story = Story()
    for day in range(50):
        story.log_in(-(day + 2) * A_DAY, ip_address=GERMAN)
    source = story.source()
    detect(source, DAY, Thresholds(), rules=rules_named(["new-country"]))
    assert source.given == 0


def write(directory: Path, records: dict[str, Any]) -> Path:
    path = directory / "countries.mmdb"
    path.write_bytes(mmdb(records))
    return path
