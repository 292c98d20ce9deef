"""Each rule against the real service: the attack it is made for, the same just below its threshold, honest traffic."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from authctl.server.audit.detect.catalogue import RULES
from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import Severity, Thresholds
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import EVENT_COLUMNS
from tests.server.audit.detect import rehearsals
from tests.server.audit.detect.conftest import looking_at
from tests.server.audit.detect.rehearsals import ATTACKER, OFFICE, REHEARSALS, Stage, fail, ordinary_day, play
from tests.server.storage.trail_rows import Duck

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from authctl.server.audit.detect.detection import Report
    from authctl.server.audit.detect.interface import Finding
    from tests.server.audit.detect.conftest import Look


def of(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


def test_every_rule_has_a_rehearsal() -> None:
    assert list(REHEARSALS) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", REHEARSALS)
def test_a_rule_finds_what_its_rehearsal_plays(rule: str, stage: Stage, look: Look) -> None:
    REHEARSALS[rule](stage)
    [finding] = of(look(), rule)
    assert set(finding.events) <= {row.id for row in stage.instance.rows()}
    assert 0 < len(set(finding.events)) == len(finding.events) <= finding.total_events
    assert finding.advice
    assert finding.subject in finding.sentence


def test_the_rules_find_the_same_in_each_kind_of_database(any_url: str, tmp_path: Path) -> None:
    open_database(any_url, create=True).close()
    stage = Stage(tmp_path / "site", any_url)
    try:
        play_everything(stage)
        report = looking_at(stage)()
        archive = Duck({name: getattr(row, name) for name in EVENT_COLUMNS} for row in stage.instance.rows())
    finally:
        stage.close()
    assert {finding.rule for finding in report.findings} == set(REHEARSALS)
    with closing(DatabaseSource(archive)) as source:
        assert detect(source, report.window, Thresholds()) == report


def play_everything(stage: Stage) -> None:
    """All of them, on one stage, on one day each."""
    names = iter(range(1000))
    enter = stage.enter
    stage.enter = lambda name, *arguments, **more: enter(f"{name}{next(names)}", *arguments, **more)  # type: ignore[method-assign]
    for act in REHEARSALS.values():
        act(stage)
        stage.passes(7200)


def test_nothing_is_found_on_an_ordinary_day(stage: Stage, look: Look) -> None:
    ordinary_day(stage)
    report = look()
    assert report.findings == ()
    assert len(report.ran) == len(RULES)


@pytest.mark.parametrize(
    ("rule", "act"),
    [
        ("brute-force-address", lambda stage: rehearsals.force_from_one_address(stage, 9)),
        ("brute-force-account", lambda stage: rehearsals.force_one_account(stage, 9)),
        ("account-sweep", lambda stage: rehearsals.sweep_accounts(stage, 9)),
        ("many-addresses", lambda stage: rehearsals.roam(stage, 2)),
        ("denied-sweep", lambda stage: rehearsals.ask_for_others(stage, 4)),
        ("quick-admin", lambda stage: rehearsals.use_new_rights(stage, 16)),
    ],
)
def test_a_rule_keeps_quiet_one_below_its_threshold(
    rule: str, act: Callable[[Stage], None], stage: Stage, look: Look
) -> None:
    act(stage)
    assert of(look(), rule) == []


def test_a_brute_force_that_gets_in_is_critical_and_says_so(stage: Stage, look: Look) -> None:
    victim = stage.enter("ada")
    for _ in range(10):
        stage.passes(20)
        fail(victim, ATTACKER)
    stage.move(victim, ATTACKER).log_in()
    report = look()
    for rule in ("brute-force-address", "brute-force-account"):
        [finding] = of(report, rule)
        assert finding.severity is Severity.CRITICAL
        assert "They got in: ada@example.com logged in at 2026-01-01 00:03:20Z from 203.0.113.66" in finding.sentence
        assert stage.instance.rows()[0].id in finding.events
        assert finding.total_events == 11


def test_an_owner_who_fails_often_and_then_gets_in_where_they_always_do_is_not_critical(
    stage: Stage, look: Look
) -> None:
    owner = stage.enter("ada")
    owner.log_in()
    for _ in range(10):
        stage.passes(20)
        fail(owner)
    owner.log_in()
    [finding] = of(look(), "brute-force-account")
    assert finding.severity is Severity.HIGH
    assert "as before: rather its owner" in finding.sentence


def test_refusals_that_were_only_counted_make_a_brute_force(tmp_path: Path) -> None:
    """R-RL-08: a flood leaves few events, and one that says how many more there were."""
    limited = Stage(tmp_path / "limited", rate_limits=True, rate_limit_completions_per_source_email=3)
    try:
        victim = limited.enter("ada")
        for _ in range(3):
            fail(victim, ATTACKER)
        attacker = limited.move(victim, ATTACKER)
        answer = attacker.sign()
        assert {attacker.complete_login(answer).status_code for _ in range(31)} == {429}
        limited.passes(61)
        attacker.complete_login(answer)
        [finding] = of(looking_at(limited)(), "brute-force-address")
    finally:
        limited.close()
    assert finding.count == 3 + 1 + 30 + 1
    assert "rate limited 32" in finding.sentence


def test_a_user_who_becomes_an_admin_after_a_sweep_makes_it_critical(stage: Stage, look: Look) -> None:
    rehearsals.ask_for_others(stage)
    other, curious = stage.enter("ada"), stage.enter("eve")
    curious.log_in()
    for number in range(5):
        curious.see(f"00000000-0000-4000-8000-00000000000{number}")
    stage.promote(curious)
    curious.log_in()
    curious.see(other.id)
    by_subject = {finding.subject: finding for finding in of(look(), "denied-sweep")}
    assert by_subject["nina@example.com"].severity is Severity.HIGH
    assert by_subject["eve@example.com"].severity is Severity.CRITICAL


def test_an_address_without_a_token_that_asks_for_many_records_is_found(stage: Stage, look: Look) -> None:
    attacker = stage.move(stage.enter("ada"), ATTACKER)
    for number in range(30):
        attacker.see(f"00000000-0000-4000-8000-0000000000{number:02}", token="x")
    [finding] = of(look(), "denied-sweep")
    assert (finding.kind, finding.subject, finding.severity) == ("address", ATTACKER, Severity.MEDIUM)
    assert finding.count == 20


def test_rights_that_were_taken_away_again_are_told(stage: Stage, look: Look) -> None:
    other, admin = stage.enter("ada"), stage.enter("olga")
    stage.promote(admin)
    stage.passes(60)
    admin.log_in()
    admin.see(other.id)
    admin.see(other.id)
    stage.passes(60)
    stage.demote(admin)
    [finding] = of(look(), "quick-admin")
    assert finding.count == 2
    assert "The rights were taken away again at 2026-01-01 00:02:00Z." in finding.sentence
    assert finding.total_events == 4


def test_a_reset_of_the_database_is_told(stage: Stage, look: Look) -> None:
    stage.enter("ada")
    asyncio.run(stage.instance.service.maintenance.reset(rehearsals.OPERATOR))
    [finding] = of(look(), "audit-gap")
    assert "The database was reset 1 time by os:ops(1000)" in finding.sentence


def test_what_was_played_can_be_played_again_in_a_directory_for_a_demonstration(tmp_path: Path) -> None:
    clock = play(tmp_path / "demo", "account-sweep")
    assert clock.now() > FixedClock().now()
    assert (tmp_path / "demo" / "app.db").exists()


def test_thresholds_decide(stage: Stage, look: Look) -> None:
    victim = stage.enter("ada", OFFICE)
    for _ in range(4):
        fail(victim, ATTACKER)
    assert of(look(), "brute-force-address") == []
    assert len(of(look(Thresholds(address_failures=4)), "brute-force-address")) == 1
