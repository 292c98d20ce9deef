"""A recipe can say what only somebody who is logged in may read (SPEC §11)."""

from __future__ import annotations

import pytest

from authctl.errors import UsageError
from authctl.virtual_authenticator.errors import RecipeInvalid
from authctl.virtual_authenticator.harness.recipe.check import recipe_of
from authctl.virtual_authenticator.harness.relying_party import Verdict
from tests.virtual_authenticator.harness.recipe.servers import RECIPE, Scripted, scripted

PROFILE = 'profile = { url = "/me", headers = { X-User = "{user}" } }\n[register]'


def with_profile(line: str = PROFILE) -> str:
    return RECIPE.replace("[register]", line, 1)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Verdict.ACCEPTED),
        (204, Verdict.ACCEPTED),
        (401, Verdict.REFUSED),
        (500, Verdict.CRASHED),
        (302, Verdict.INCONCLUSIVE),
    ],
)
def test_a_profile_is_read_as_the_recipe_says(status: int, expected: Verdict) -> None:
    app, server = scripted(with_profile(), Scripted().on("/me", {}, status=status))
    with server:
        visit = server.visit()
        assert visit.has_profile
        assert visit.read_profile().verdict is expected
    assert app.seen[-1].headers["x-user"] == visit.account.email


def test_the_status_that_a_profile_has_to_have_can_be_named() -> None:
    line = PROFILE.replace('"/me"', '"/me", status = [299]')
    _, server = scripted(with_profile(line), Scripted().on("/me", {}))
    with server:
        assert server.visit().read_profile().verdict is Verdict.INCONCLUSIVE


def test_a_profile_that_cannot_be_asked_for_is_no_crash_of_the_caller() -> None:
    line = PROFILE.replace("{user}", "{first_name}")
    _, server = scripted(with_profile(line), Scripted().on("/me", {}))
    with server:
        visit = server.visit()
        visit.values["first_name"] = "not\nin a header"
        reaction = visit.read_profile()
    assert (reaction.verdict, reaction.status) == (Verdict.INCONCLUSIVE, 0)


def test_a_recipe_without_a_profile_says_how_one_looks() -> None:
    _, server = scripted()
    visit = server.visit()
    assert not visit.has_profile
    with server, pytest.raises(UsageError, match="does not say how a profile is read") as caught:
        visit.read_profile()
    assert caught.value.hint is not None
    assert "profile = { url" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("profile = 5\n[register]", "profile: has to be a table, not a number"),
        ('profile = { method = "GET" }\n[register]', "profile.url: is missing"),
        (PROFILE.replace("{user}", "{token}"), "profile.headers: nothing has saved {token} by then"),
    ],
)
def test_what_is_wrong_with_a_profile_is_told(line: str, message: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        recipe_of(with_profile(line).encode(), "test")
    assert message in "\n".join(caught.value.problems)
