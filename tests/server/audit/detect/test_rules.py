"""Rules on made-up trails: what a service would take long to be brought to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from authctl.server.audit.detect import candidates
from authctl.server.audit.detect.detection import detect
from authctl.server.audit.detect.interface import MOST_EVENTS, Severity, Thresholds, Window
from authctl.server.audit.detect.rules import many_addresses, new_country
from tests.server.audit.detect.lists import DAY, NOON, Story
from tests.server.audit.detect.rehearsals import FRENCH, GERMAN

NOBODY: dict[str, Any] = {"user_email": None}


def test_the_last_failure_counts_when_it_falls_on_the_end_of_the_span() -> None:
    story = Story()
    for number in range(9):
        story.fail(number)
    story.fail(600)
    assert [one.count for one in story.found("brute-force-address")] == [10]


def test_the_last_failure_does_not_count_when_it_comes_after_the_span() -> None:
    story = Story()
    for number in range(9):
        story.fail(number)
    story.fail(600.001)
    assert story.found("brute-force-address") == []


def test_an_attack_across_the_beginning_of_the_window_is_seen_whole() -> None:
    story = Story()
    for number in range(10):
        story.fail(number * 20)
    later = Window(NOON + timedelta(seconds=100), NOON + timedelta(hours=1))
    assert [one.count for one in story.found("brute-force-address", later)] == [10]


def test_an_attack_that_ended_before_the_window_belongs_to_an_earlier_one() -> None:
    story = Story()
    for number in range(10):
        story.fail(number)
    later = Window(NOON + timedelta(seconds=100), NOON + timedelta(hours=1))
    assert story.found("brute-force-address", later) == []


def test_two_bursts_of_one_address_are_one_finding() -> None:
    story = Story()
    for start in (0, 7200):
        for number in range(12):
            story.fail(start + number)
    [finding] = story.found("brute-force-address")
    assert (finding.count, len(finding.events), finding.total_events) == (24, MOST_EVENTS, 24)
    assert "from 2026-03-01 12:00:00Z to 2026-03-01 14:00:11Z" in finding.sentence


def test_an_office_behind_one_address_is_not_a_brute_force_when_its_people_get_in() -> None:
    story = Story()
    for number in range(40):
        story.fail(number * 10, user_email=f"p{number}@example.com")
        story.fail(number * 10 + 1, user_email=f"p{number}@example.com")
        story.log_in(number * 10 + 5, user_email=f"p{number}@example.com")
    assert detect(story.source(), DAY, Thresholds()).findings == ()


def test_an_attack_out_of_an_office_is_found_beside_those_who_get_in() -> None:
    story = Story()
    for number in range(40):
        story.log_in(number * 10, user_email=f"p{number}@example.com")
        story.log_in(-90_000 + number, user_email=f"p{number}@example.com")
    for number in range(12):
        story.fail(number, user_email="boss@example.com")
    [finding] = story.found("brute-force-address")
    assert finding.severity is Severity.MEDIUM
    assert "12 failed logins from 203.0.113.66 against 1 account" in finding.sentence
    assert "Also logged in from there, as before: p0@example.com" in finding.sentence
    assert "35 more accounts logged in from there." in finding.sentence


def test_a_stranger_who_logs_in_from_an_attacking_address_raises_the_severity() -> None:
    story = Story()
    for number in range(10):
        story.fail(number, **NOBODY)
    story.log_in(100, user_email="eve@example.com")
    [finding] = story.found("brute-force-address")
    assert finding.severity is Severity.HIGH
    assert "against" not in finding.sentence
    assert "Afterwards eve@example.com logged in at 2026-03-01 12:01:40Z" in finding.sentence


def test_an_ipv6_attacker_is_one_place_however_often_the_address_changes() -> None:
    story = Story()
    for number in range(10):
        story.fail(number, ip_address=f"2001:db8:0:1::{number:x}", **NOBODY)
    story.log_in(50, ip_address="2001:db8:0:1::ffff")
    [finding] = story.found("brute-force-address")
    assert (finding.subject, finding.kind, finding.count) == ("2001:db8:0:1::/64", "address", 10)
    assert finding.severity is Severity.HIGH


def test_the_peer_of_a_socket_without_address_is_a_place_too() -> None:
    story = Story()
    for number in range(10):
        story.fail(number, ip_address="local")
    story.log_in(20, ip_address="local")
    [finding] = story.found("brute-force-address")
    assert (finding.subject, finding.severity) == ("local", Severity.CRITICAL)


def test_what_is_the_services_own_fault_is_nobodys_attack() -> None:
    story = Story()
    for number in range(30):
        story.fail(number, reason="library_error")
        story.fail(number, reason="settings_changed")
    assert detect(story.source(), DAY, Thresholds()).findings == ()


def test_erased_events_accuse_nobody() -> None:
    story = Story()
    for number in range(30):
        story.fail(number, ip_address=None, user_email=None, details=None)
        story.add(number, "user_access", reason="access_denied", target_user_id=f"u{number}", **NOBODY, ip_address=None)
        story.log_in(number, ip_address=None, user_email=None)
    story.add(0, "credential_clone_suspected", **NOBODY, ip_address=None, details=None)
    [finding] = detect(story.source(), DAY, Thresholds()).findings
    assert (finding.rule, finding.subject, finding.severity) == ("clone-suspected", "an erased user", Severity.HIGH)
    assert "from an unknown address" in finding.sentence


def test_a_bystander_of_a_flood_is_not_accused() -> None:
    story = Story()
    story.fail(0, reason="rate_limited")
    story.add(0, "rate_limited", reason="rate_limited", **NOBODY)
    details = "Too many requests from IP: 203.0.113.66: login complete refused 5000 more times within a minute"
    story.add(70, "rate_limited", reason="rate_limited", details=details, **NOBODY)
    assert story.found("brute-force-address") == []


@pytest.mark.parametrize(
    "details",
    [
        None,
        "Too many requests from IP: 203.0.113.66: login begin refused 5000 more times within a minute",
        "Too many requests from IP: 203.0.113.66: login complete refused",
    ],
)
def test_floods_of_something_else_are_not_failed_logins(details: str | None) -> None:
    story = Story()
    for number in range(4):
        story.fail(number)
    story.add(70, "rate_limited", reason="rate_limited", details=details, **NOBODY)
    assert story.found("brute-force-address") == []


def test_one_account_from_one_address_is_less_severe_than_from_many() -> None:
    story = Story()
    for number in range(10):
        story.fail(number)
        story.fail(number, user_email="bob@example.com", ip_address=f"203.0.113.{number}")
    found = {one.subject: one.severity for one in story.found("brute-force-account")}
    assert found == {"ada@example.com": Severity.MEDIUM, "bob@example.com": Severity.HIGH}


def test_an_owner_who_gets_in_elsewhere_does_not_make_an_attack_succeed() -> None:
    story = Story()
    for number in range(10):
        story.fail(number)
    story.log_in(100, ip_address="198.51.100.10")
    [finding] = story.found("brute-force-account")
    assert finding.severity is Severity.MEDIUM
    assert "Nobody has logged in from there since." in finding.sentence


def test_a_few_stale_passkeys_are_no_probing() -> None:
    story = Story()
    for number in range(4):
        story.fail(number, reason="credential_unknown", **NOBODY)
    assert story.found("credential-probing") == []
    story.fail(5, reason="credential_unknown", **NOBODY)
    assert [one.count for one in story.found("credential-probing")] == [5]


def test_slow_and_locked_out_people_are_no_probing() -> None:
    story = Story()
    for number, reason in enumerate(("challenge_expired", "user_disabled", "token_expired", "clone_suspected") * 4):
        story.fail(number, reason=reason)
    assert story.found("credential-probing") == []


def test_three_kinds_of_refusal_are_probing_when_they_are_few() -> None:
    story = Story()
    for reason in ("credential_unknown", "origin_mismatch", "signature_invalid"):
        story.fail(0, reason=reason, **NOBODY)
    [finding] = story.found("credential-probing")
    assert "3 refusals of 3 kinds" in finding.sentence


def test_trying_out_answers_when_adding_a_passkey_is_probing_too() -> None:
    story = Story()
    for reason in ("user_mismatch", "origin_mismatch", "signature_invalid"):
        story.add(0, "credential_added", reason=reason)
    [finding] = story.found("credential-probing")
    assert "3 refusals of 3 kinds" in finding.sentence


def test_a_busy_office_is_no_sweep_while_more_accounts_log_in_than_are_left() -> None:
    story = Story()
    for number in range(12):
        story.add(number, "login_begin", success=True, user_email=f"left{number}@example.com")
    for number in range(13):
        story.log_in(number, user_email=f"in{number}@example.com")
    assert story.found("account-sweep") == []
    story.add(20, "login_begin", success=True, user_email="one.more@example.com")
    story.add(21, "login_begin", success=True, user_email="and.another@example.com")
    assert len(story.found("account-sweep")) == 1


def test_accounts_that_do_not_exist_are_a_sweep_even_in_a_busy_office() -> None:
    story = Story()
    for number in range(10):
        story.add(number, "login_begin", success=True, reason="unknown_user", user_email=f"x{number}@example.com")
    for number in range(50):
        story.log_in(-90_000 + number, user_email=f"in{number}@example.com")
        story.log_in(number, user_email=f"in{number}@example.com")
    details = "Too many requests from IP: 203.0.113.66: login begin refused 400 more times within a minute"
    story.add(70, "rate_limited", reason="rate_limited", details=details, **NOBODY)
    [finding] = story.found("account-sweep")
    assert "410 requests for 10 accounts" in finding.sentence
    assert "10 of them without an account" in finding.sentence


def test_registrations_refused_for_existing_accounts_are_a_sweep() -> None:
    story = Story()
    for number in range(10):
        story.add(number, "registration_complete", reason="account_exists", user_email=f"x{number}@example.com")
        story.add(number, "login_begin", success=True, **NOBODY)
    [finding] = story.found("account-sweep")
    assert finding.count == 10


def test_the_same_account_again_and_again_is_no_sweep() -> None:
    story = Story()
    for number in range(50):
        story.add(number, "login_begin", success=True)
    assert story.found("account-sweep") == []


def test_dual_stack_and_a_changing_ipv6_address_are_two_places() -> None:
    story = Story()
    for number in range(6):
        story.log_in(number, ip_address=f"2001:db8::{number:x}")
        story.log_in(number, ip_address="198.51.100.10")
    assert story.found("many-addresses") == []


def test_places_further_apart_than_the_span_do_not_add_up() -> None:
    story = Story()
    for number in range(6):
        story.log_in(number * 1801, ip_address=f"198.51.100.{number}")
    assert story.found("many-addresses") == []


def test_a_clone_in_the_place_of_the_owner_is_high_and_elsewhere_critical() -> None:
    story = Story()
    for email, address in (("ada@example.com", "198.51.100.10"), ("bob@example.com", "203.0.113.9")):
        story.log_in(0, user_email=email, ip_address="198.51.100.10")
        story.add(10, "credential_clone_suspected", user_email=email, ip_address=address)
        story.add(20, "credential_clone_suspected", user_email=email, ip_address=address)
        story.log_in(30, user_email=email, ip_address="198.51.100.10")
    found = {one.subject: one for one in story.found("clone-suspected")}
    assert found["ada@example.com"].severity is Severity.HIGH
    assert found["bob@example.com"].severity is Severity.CRITICAL
    assert found["bob@example.com"].count == 2
    assert "The good login after it was at 2026-03-01 12:00:30Z" in found["bob@example.com"].sentence


def test_requests_without_token_under_changing_names_are_one_address() -> None:
    story = Story()
    for number in range(6):
        user = f"p{number % 2}@example.com"
        story.add(number, "user_access", reason="access_denied", target_user_id=f"u{number}", user_email=user)
    details = "120 more requests without a usable token from IP: 203.0.113.66 within a minute"
    story.add(70, "token_rejected", reason="counted", details=details, **NOBODY)
    [finding] = story.found("denied-sweep")
    assert (finding.kind, finding.count) == ("address", 126)
    assert "120 of which were only counted" in finding.sentence


def test_a_user_who_is_reported_is_not_reported_again_as_an_address() -> None:
    story = Story()
    for number in range(6):
        story.add(number, "user_access", reason="access_denied", target_user_id=f"u{number}")
    assert [one.kind for one in story.found("denied-sweep")] == ["user"]


def test_reaching_for_the_passkeys_of_others_is_a_sweep_too() -> None:
    story = Story()
    for number in range(6):
        reached = ("user_access", "credential_renamed", "credential_removed")[number % 3]
        story.add(number, reached, reason="access_denied", target_user_id=f"u{number}")
    [finding] = story.found("denied-sweep")
    assert (finding.kind, finding.count) == ("user", 6)


def test_an_admin_who_asks_for_users_who_are_gone_is_no_sweep() -> None:
    story = Story()
    for number in range(20):
        story.add(number, "user_access", reason="unknown_user", target_user_id=f"u{number}")
    assert story.found("denied-sweep") == []


def test_an_admin_whose_own_record_is_looked_at_has_used_nothing() -> None:
    story = Story()
    story.add(0, "role_change", success=True, user_id="u1", details="User Ada changed from user to admin by os:ops")
    story.add(5, "user_access", success=True, user_id="u1", target_user_id="u1")
    story.add(6, "user_access", success=True, user_id="u2", target_user_id="u1", user_email="boss@example.com")
    assert story.found("quick-admin") == []
    story.add(7, "user_access", success=True, user_id="u1", target_user_id="u3")
    [finding] = story.found("quick-admin")
    assert (finding.subject, finding.count) == ("ada@example.com", 1)


def test_whoever_loses_their_rights_is_no_new_admin_and_an_erased_change_may_be_one() -> None:
    story = Story()
    story.add(0, "role_change", success=True, user_id="u1", details="User Ada changed from admin to user by os:ops")
    story.add(0, "role_change", success=True, user_id="u2", details=None, **NOBODY)
    story.add(0, "role_change", success=True, user_id=None, details=None, **NOBODY)
    for user_id in ("u1", "u2"):
        story.add(1, "user_access", success=True, user_id=user_id, target_user_id="u3", **NOBODY)
    assert [one.subject for one in story.found("quick-admin")] == ["u2"]


def test_what_was_damaged_is_told_with_its_reason() -> None:
    story = Story()
    for reason in ("file_deleted", "file_truncated"):
        story.add(0, "audit_gap", reason=reason, user_email=None, ip_address=None)
    [finding] = story.found("audit-gap")
    assert "found damaged 2 times at 2026-03-01 12:00:00Z (file deleted 1, file truncated 1)" in finding.sentence


def test_everybody_is_looked_at_when_there_are_too_many_to_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    for number in range(12):
        story.fail(number)
        story.fail(number, user_email=f"p{number}@example.com", ip_address=f"198.51.100.{number}")
        story.log_in(number, ip_address=f"198.51.100.{number}")
        story.add(number, "login_begin", success=True, user_email=f"q{number}@example.com")
    plain = detect(story.source(), DAY, Thresholds())
    monkeypatch.setattr(candidates, "MOST_GROUPS", 2)
    crowded = detect(story.source(), DAY, Thresholds())
    assert [one.rule for one in plain.findings] == [one.rule for one in crowded.findings]
    assert {"brute-force-address", "brute-force-account", "account-sweep", "many-addresses"} <= {
        one.rule for one in crowded.findings
    }


def test_travellers_are_found_when_there_are_too_many_to_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    for number in range(4):
        story.log_in(-90_000, user_email=f"p{number}@example.com", ip_address=GERMAN)
        story.log_in(number, user_email=f"p{number}@example.com", ip_address=FRENCH)
        for place in range(2):
            story.log_in(number, user_email=f"p{number}@example.com", ip_address=f"198.51.100.{place}")
    story.log_in(0, user_email="late@example.com", ip_address=None)
    plain = detect(story.source(), DAY, Thresholds())
    for module in (candidates, new_country, many_addresses):
        monkeypatch.setattr(module, "MOST_GROUPS", 3)
    crowded = detect(story.source(), DAY, Thresholds())
    assert plain == crowded
    assert [one.rule for one in plain.findings] == ["many-addresses"] * 4 + ["new-country"] * 4


def test_a_sweep_by_more_ipv6_addresses_than_can_be_asked_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    for number in range(12):
        email, address = f"q{number}@example.com", f"2001:db8::{number:x}"
        story.add(number, "login_begin", success=True, user_email=email, ip_address=address)
    monkeypatch.setattr(candidates, "MOST_GROUPS", 2)
    [finding] = story.found("account-sweep")
    assert finding.subject == "2001:db8::/64"


def test_denied_requests_without_a_record_are_no_sweep() -> None:
    story = Story()
    for number in range(20):
        story.add(number, "token_rejected", reason="token_expired", **NOBODY)
        story.add(number, "user_access", reason="access_denied")
    assert story.found("denied-sweep") == []


def test_many_attackers_are_read_in_one_go() -> None:
    story = Story()
    for attacker in range(120):
        for number in range(10):
            story.fail(number, ip_address=f"203.0.113.{attacker}", user_email=f"p{attacker}@example.com")
    assert len(story.found("brute-force-address")) == 120
    assert len(story.found("brute-force-account")) == 120


def test_no_event_of_honest_people_is_read_where_groups_tell_enough() -> None:
    story = Story()
    for number in range(300):
        story.fail(number * 100, user_email=f"p{number}@example.com", ip_address=f"198.51.100.{number % 250}")
    source = story.source()
    assert detect(source, DAY, Thresholds()).findings == ()
    assert source.given == 0
