"""The life of a visit: set-up, logins with and without a name, branches of its browser, abilities, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.errors import UnexpectedAnswer
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.relying_party import Verdict
from tests.virtual_authenticator.harness.recipe.servers import (
    CHALLENGE,
    RECIPE,
    Scripted,
    scripted,
)

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer

ACCOUNT = Account("jane@example.com", "Jane", "Doe")


_LIFE = (
    RECIPE.replace(
        "version = 1",
        """version = 1
setup = [{ url = "/signup", json = { email = "{user}", password = "{password}" } }]
teardown = [{ url = "/account", method = "DELETE", headers = { A = "{token}" } }, { url = "/never" }]""",
    ).replace(
        'finish = { url = "/login/finish", json = "{credential}" }',
        'finish = { url = "/login/finish", json = "{credential}", save = { token = "$.token", other = "$.other" } }',
    )
    + """
[login.usernameless]
begin = { url = "/login/begin", json = {} }
[capabilities]
delete-passkey = [{ url = "/passkeys/{credential.id}", method = "DELETE" }]
"""
)


def life() -> tuple[Scripted, DescribedServer]:
    app, server = scripted(_LIFE)
    app.on("/signup", {}, headers={"set-cookie": "s=1"}).on("/account", {}, status=404).on("/login/finish", {})
    app.script["/login/finish"] = []
    return app.on("/login/finish", {"ok": True, "token": "t"}).on("/register/finish", {"ok": True}), server


def test_setup_comes_once_and_teardown_last() -> None:
    app, server = life()
    with server:
        visit = server.visit()
        visit.begin_registration()
        visit.begin_registration()
        assert visit.finish_login({"id": "x"}).verdict is Verdict.ACCEPTED
        visit.branch().close()
        visit.close()
    assert [seen.path for seen in app.seen] == [
        "/signup",
        "/register/begin",
        "/register/begin",
        "/login/finish",
        "/account",
    ]
    assert app.seen[-1].headers["a"] == visit.values["token"] == "t"
    assert "other" not in visit.values


def test_somebody_with_an_account_comes_without_setup() -> None:
    app, server = life()
    with server:
        server.visit(ACCOUNT).begin_registration()
        server.visit(ACCOUNT, is_new=True).begin_registration()
    assert [seen.path for seen in app.seen] == ["/register/begin", "/signup", "/register/begin"]


def test_a_password_is_the_same_for_the_same_person() -> None:
    _, server = life()
    with server:
        assert server.visit(ACCOUNT).values["password"] == server.visit(ACCOUNT).values["password"]
        assert server.visit(ACCOUNT).values["password"] != server.visit().values["password"]


def test_a_login_without_a_name_is_another_one() -> None:
    app, server = life()
    with server:
        visit = server.visit(ACCOUNT)
        visit.begin_login()
        visit.begin_login(named=False)
        assert visit.finish_login({}).verdict is Verdict.ACCEPTED
    assert [seen.json() for seen in app.seen[:2]] == [{"name": "jane@example.com"}, {}]


def test_a_login_without_a_name_is_refused_where_the_recipe_has_none() -> None:
    _, server = scripted()
    with server, pytest.raises(UnexpectedAnswer, match="no login that names nobody"):
        server.visit().begin_login(named=False)


def test_a_login_without_a_name_is_the_same_where_nobody_is_ever_named() -> None:
    _, server = scripted(RECIPE + "[capabilities]\nusernameless = true")
    with server:
        assert server.visit().begin_login(named=False)["challenge"] == CHALLENGE


def test_a_branch_has_the_cookies_of_its_browser_and_keeps_its_own() -> None:
    app, server = life()
    with server:
        visit = server.visit()
        visit.begin_registration()
        branch = visit.branch()
        app.on("/signup", {})
        branch.finish_registration({})
        assert app.seen[-1].headers["cookie"] == "s=1"
        visit.finish_registration({})
    assert app.seen[-1].headers["cookie"] == "s=1"


def test_an_ability_performs_its_steps_with_the_credential() -> None:
    app, server = life()
    app.on("/passkeys/abc", {})
    with server:
        assert server.capabilities == {"usernameless", "named-login"}
        assert server.abilities["delete-passkey"](server.visit(ACCOUNT), {"id": "abc"}) is None
    assert (app.seen[-1].method, app.seen[-1].path) == ("DELETE", "/passkeys/abc")


def test_a_branch_for_another_account_is_the_same_browser_with_another_name() -> None:
    app, server = life()
    other = Account("john@example.com", "John", "Roe")
    with server:
        visit = server.visit()
        visit.begin_registration()
        branch = visit.branch(other)
        assert branch.account == other
        branch.begin_login()
        assert b"john@example.com" in app.seen[-1].body
        assert app.seen[-1].headers["cookie"] == "s=1"
        visit.begin_login()
        assert visit.account.email.encode() in app.seen[-1].body
