from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from authctl.commands._operator import operator

if TYPE_CHECKING:
    from tests.commands.conftest import Home


def test_promote_makes_an_admin_and_says_that_a_new_login_is_needed(home: Home) -> None:
    user = home.add_user("jane@example.com")
    result = home.run("promote", "jane@example.com")
    assert (result.exit_code, result.stdout) == (0, "jane@example.com: user -> admin\n")
    assert "the next login" in result.stderr
    (event,) = home.events("role_change")
    assert event.success == 1
    assert event.user_id == user.id


def test_promote_leaves_the_operating_system_user_as_actor(home: Home) -> None:
    """R-CL-03."""
    home.add_user("jane@example.com")
    home.run("promote", "jane@example.com")
    (event,) = home.events("role_change")
    assert event.actor == operator().actor
    assert str(event.user_agent).startswith("authctl/")
    assert event.ip_address is None


@pytest.mark.parametrize("typed", ["  Jane@Example.COM ", "JANE@EXAMPLE.COM"])
def test_promote_finds_what_was_typed_after_normalising(typed: str, home: Home) -> None:
    home.add_user("jane@example.com")
    assert home.run("promote", typed).exit_code == 0


def test_promote_changes_nothing_when_the_user_is_admin(home: Home) -> None:
    home.add_user("jane@example.com", role="admin")
    result = home.run("promote", "jane@example.com")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "jane@example.com is already admin\n", "")
    assert home.events("role_change") == []


@pytest.mark.parametrize("typed", ["nobody@example.com", "user@x", "not an address", "", "\x1b[2J"])
def test_promote_finds_nobody_and_never_refuses_the_syntax(typed: str, home: Home) -> None:
    result = home.run("promote", typed)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("error: No user has the e-mail ")
    assert "\x1b" not in result.stderr
    assert home.events("role_change") == []


def test_promote_answers_in_json_when_asked(home: Home) -> None:
    user = home.add_user("jane@example.com")
    result = home.run("promote", "jane@example.com", "--format", "json")
    assert json.loads(result.stdout) == {
        "email": "jane@example.com",
        "user_id": user.id,
        "before": "user",
        "after": "admin",
        "changed": True,
    }


def test_demote_takes_the_role_away(home: Home) -> None:
    home.add_user("ann@example.com", role="admin")
    home.add_user("jane@example.com", role="admin")
    result = home.run("demote", "jane@example.com")
    assert (result.exit_code, result.stdout) == (0, "jane@example.com: admin -> user\n")
    assert "the next request" in result.stderr
    assert len(home.events("role_change")) == 1


def test_demote_keeps_the_last_admin_unless_told_otherwise(home: Home) -> None:
    """R-CL-04."""
    home.add_user("jane@example.com", role="admin")
    refused = home.run("demote", "jane@example.com")
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "--allow-no-admin" in refused.stderr
    assert home.run("demote", "jane@example.com", "--allow-no-admin").exit_code == 0


def test_demote_changes_nothing_when_the_user_is_no_admin(home: Home) -> None:
    home.add_user("jane@example.com")
    result = home.run("demote", "jane@example.com")
    assert (result.exit_code, result.stdout) == (0, "jane@example.com is no admin\n")
    assert home.events("role_change") == []
