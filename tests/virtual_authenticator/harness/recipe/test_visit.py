"""A visit sends what the recipe says and judges whatever comes back; nothing that a server does raises on a finish."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuthctlError, ServerUnreachable, UsageError
from authctl.virtual_authenticator.errors import CeremonyRefused, NothingListens, TooManyRequests, UnexpectedAnswer
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.recipe.check import recipe_of
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.relying_party import Verdict
from authctl.virtual_authenticator.json_text import JsonText
from tests.virtual_authenticator.harness.recipe.servers import (
    ORIGIN,
    RECIPE,
    Scripted,
    raw_server,
    scripted,
)

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.relying_party import Reaction

ACCOUNT = Account("jane@example.com", "Jane", "Doe")


def finish(app: Scripted, server: DescribedServer, credential: object = None) -> Reaction:
    with server:
        visit = server.visit()
        visit.begin_registration()
        return visit.finish_registration({"id": "abc"} if credential is None else credential)


def with_ceremony(old: str, new: str) -> str:
    assert old in RECIPE
    return RECIPE.replace(old, new)


# What answers mean.


@pytest.mark.parametrize(
    ("status", "body", "headers", "verdict", "reason"),
    [
        (200, {"ok": True}, {}, Verdict.ACCEPTED, ""),
        (200, {"ok": False}, {}, Verdict.INCONCLUSIVE, '{"ok": false}'),
        (200, {"ok": 1}, {}, Verdict.INCONCLUSIVE, '{"ok": 1}'),
        (201, {"ok": True}, {}, Verdict.INCONCLUSIVE, '{"ok": true}'),
        (400, {"error": "bad signature"}, {}, Verdict.REFUSED, "bad signature"),
        (401, {"code": "E1", "message": "no"}, {}, Verdict.REFUSED, "E1"),
        (422, {"error": {"message": "deep"}}, {}, Verdict.REFUSED, "deep"),
        (400, ["x"], {}, Verdict.REFUSED, '["x"]'),
        (400, b"<title> Bad\n Request </title>", {"content-type": "text/html"}, Verdict.REFUSED, "Bad Request"),
        (404, {"error": "unknown credential"}, {}, Verdict.REFUSED, "unknown credential"),
        (404, b"Cannot POST", {}, Verdict.INCONCLUSIVE, "Cannot POST"),
        (405, {"error": "method"}, {}, Verdict.INCONCLUSIVE, "method"),
        (408, b"", {}, Verdict.INCONCLUSIVE, ""),
        (500, b"Internal Server Error", {}, Verdict.CRASHED, "Internal Server Error"),
        (502, {"ok": True}, {}, Verdict.CRASHED, '{"ok": true}'),
        (302, b"", {"location": "/login"}, Verdict.INCONCLUSIVE, "redirected to /login"),
        (304, b"", {}, Verdict.INCONCLUSIVE, "redirected to nowhere"),
        (200, b"<html>", {"content-type": "text/html"}, Verdict.INCONCLUSIVE, "<html>"),
        (200, b"", {}, Verdict.INCONCLUSIVE, ""),
        (200, b'{"ok": true', {}, Verdict.INCONCLUSIVE, '{"ok": true'),
        (200, b"[" * 100_000, {}, Verdict.INCONCLUSIVE, "[" * 120),
        (400, {"error": "x" * 5000}, {}, Verdict.REFUSED, "x" * 120),
    ],
)
def test_an_answer_is_judged(status: int, body: object, headers: dict[str, str], verdict: Verdict, reason: str) -> None:
    app, server = scripted()
    reaction = finish(app.on("/register/finish", body, status=status, headers=headers), server)
    assert (reaction.verdict, reaction.status, reaction.reason) == (verdict, status, reason)
    assert reaction.seconds > 0
    assert len(reaction.excerpt) <= 400


@pytest.mark.parametrize(
    ("rules", "status", "body", "verdict"),
    [
        ('reject = { json = { "$.ok" = false } }', 200, {"ok": False}, Verdict.REFUSED),
        ('reject = { json = { "$.ok" = false } }', 500, {"ok": False}, Verdict.REFUSED),
        ('reject = { json = { "$.ok" = true } }', 200, {"ok": True}, Verdict.REFUSED),
        ('reject = { status = [302], header = { Location = "re:error" } }', 302, {}, Verdict.REFUSED),
        ('reject = { cookie = { error = "1" } }', 200, {}, Verdict.REFUSED),
        ('reject = { text = "re:o.s" }', 200, {"oops": 1}, Verdict.REFUSED),
        ('reject = { text = "o.s" }', 200, {"oops": 1}, Verdict.INCONCLUSIVE),
        ('reject = { text = "oops" }', 200, {"oops": 1}, Verdict.REFUSED),
        ('reject = { json = { "$.n" = "re:^5$" } }', 200, {"n": 5}, Verdict.REFUSED),
        ('reject = { json = { "$.n" = "re:." } }', 200, {"n": None}, Verdict.INCONCLUSIVE),
    ],
)
def test_a_reject_rule_goes_before_everything(rules: str, status: int, body: object, verdict: Verdict) -> None:
    app, server = scripted(with_ceremony("[register]", f"[register]\n{rules}"))
    headers = {"location": "/?error=1", "set-cookie": "error=1"}
    assert finish(app.on("/register/finish", body, status=status, headers=headers), server).verdict is verdict


def test_the_reason_is_where_the_recipe_says() -> None:
    app, server = scripted(with_ceremony("[register]", '[register]\nreason = "$.why"'))
    app.on("/register/finish", {"why": "because", "error": "x"}, status=400)
    assert finish(app, server).reason == "because"


def test_an_answer_that_is_too_large_tells_nothing() -> None:
    app, server = scripted()
    reaction = finish(app.on("/register/finish", b"x" * 2_000_000), server)
    assert (reaction.verdict, reaction.status) == (Verdict.INCONCLUSIVE, 0)
    assert "larger than 1 MB" in reaction.reason


# Servers that hardly are any.


def over_http(url: str, **options: Any) -> DescribedServer:
    return DescribedServer(recipe_of(RECIPE.encode(), "test"), url, **options)


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [
        (b"", Verdict.CRASHED, "closed the connection without a proper answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", Verdict.CRASHED, "closed the connection"),
        (b"SSH-2.0-OpenSSH\r\n", Verdict.CRASHED, "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", Verdict.INCONCLUSIVE, "garbled"),
        (None, Verdict.CRASHED, "did not answer within 0.3 seconds"),
    ],
)
def test_a_finish_is_judged_when_there_is_no_answer(answer: bytes | None, verdict: Verdict, reason: str) -> None:
    with raw_server(answer) as url, over_http(url, timeout=0.3) as server:
        reaction = server.visit().finish_login({})
    assert (reaction.verdict, reaction.status) == (verdict, 0)
    assert reason in reaction.reason


def test_a_server_that_is_not_there_tells_nothing_about_a_credential() -> None:
    with raw_server(b"") as url:
        pass
    with over_http(url) as server:
        reaction = server.visit().finish_registration({})
        assert (reaction.verdict, reaction.status) == (Verdict.INCONCLUSIVE, 0)
        with pytest.raises(NothingListens):
            server.visit().begin_registration()


def test_a_begin_raises_when_the_server_hangs() -> None:
    with raw_server(None) as url, over_http(url, timeout=0.2) as server, pytest.raises(ServerUnreachable):
        server.visit().begin_login()


@pytest.mark.parametrize(
    ("body", "status", "error", "match"),
    [
        ({"error": "taken"}, 400, CeremonyRefused, "POST /register/begin answered 400 taken"),
        (b"<title>Not Found</title>", 404, UnexpectedAnswer, "answered 404 <title>Not Found"),
        (b"", 500, UnexpectedAnswer, "answered 500"),
        (b"", 302, UnexpectedAnswer, "is redirected to nowhere"),
        (b"<html>", 200, UnexpectedAnswer, r"There are no options at \$ in the answer to POST"),
        (b"{", 200, UnexpectedAnswer, "There are no options"),
        ([1], 200, UnexpectedAnswer, "There are no options"),
        ({"challenge": 5}, 200, UnexpectedAnswer, "have no challenge"),
        ({"publicKey": {"challenge": "x"}}, 200, UnexpectedAnswer, "have no challenge"),
        ("not json", 200, UnexpectedAnswer, "There are no options"),
    ],
)
def test_a_begin_raises_when_there_are_no_options(
    body: object, status: int, error: type[AuthctlError], match: str
) -> None:
    app = Scripted().on("/register/begin", body, status=status)
    _, server = scripted(app=app)
    with server, pytest.raises(error, match=match.replace("POST /", f"POST {ORIGIN}/")):
        server.visit().begin_registration()


def test_options_further_down_are_hinted_at() -> None:
    _, server = scripted(app=Scripted().on("/register/begin", {"publicKey": {"challenge": "x"}}))
    with server, pytest.raises(UnexpectedAnswer) as caught:
        server.visit().begin_registration()
    assert caught.value.hint == 'They are further down: options = "$.publicKey"'


# Limits.


def test_a_limit_is_waited_for_as_long_as_it_says() -> None:
    slept: list[float] = []
    app, server = scripted(sleep=slept.append)
    app.on("/register/finish", {}, status=429, headers={"retry-after": "3"})
    app.on("/register/finish", {}, status=429, headers={"retry-after": formatdate(time.time() + 5, usegmt=True)})
    app.on("/register/finish", {}, status=503, headers={"retry-after": "2"})
    reaction = finish(app.on("/register/finish", {"ok": True}), server)
    assert reaction.verdict is Verdict.ACCEPTED
    assert slept[0] == 3
    assert 3 < slept[1] <= 5
    assert slept[2] == 2


def test_a_limit_beyond_patience_tells_nothing() -> None:
    app, server = scripted(patience=10)
    app.on("/register/finish", {"error": "slow down"}, status=429, headers={"retry-after": "11"})
    reaction = finish(app, server)
    assert (reaction.verdict, reaction.reason) == (Verdict.INCONCLUSIVE, "slow down")


def test_a_begin_raises_when_the_limit_is_beyond_patience() -> None:
    app = Scripted().on("/register/begin", {}, status=429, headers={"retry-after": "11"})
    _, server = scripted(app=app, patience=10)
    with server, pytest.raises(TooManyRequests):
        server.visit().begin_registration()


def test_a_server_that_is_overloaded_beyond_patience_tells_nothing() -> None:
    app, server = scripted(patience=10)
    app.on("/register/finish", b"", status=503, headers={"retry-after": "60"})
    assert finish(app, server).verdict is Verdict.INCONCLUSIVE


def test_a_server_that_is_overloaded_crashes_when_it_does_not_say_until_when() -> None:
    app, server = scripted()
    assert finish(app.on("/register/finish", b"", status=503), server).verdict is Verdict.CRASHED


# What is sent.


def test_steps_send_what_the_recipe_says() -> None:
    text = """
    version = 1
    base_url = "http://localhost:8000"
    origin = "https://page.example"
    [register]
    before = [{ url = "/csrf", save = { csrf = "header:X-CSRF", sid = "cookie:sid" } }]
    accept = { status = [200] }
    [register.begin]
    url = "/register/begin?v=1"
    query = { q = "{display_name}" }
    headers = { X-CSRF = "{csrf}", origin = "https://other.example" }
    form = { name = "{user}", sid = "{sid}" }
    [register.finish]
    url = "/register/finish"
    method = "PUT"
    json = { c = "{credential}", s = "{credential|json}", x = "{credential.response.x}", at = "{origin}", n = 5 }
    [login]
    begin = { url = "/login/begin" }
    finish = { url = "/login/finish", json = "{credential}" }
    accept = { status = [200] }
    """
    app, server = scripted(text)
    app.on("/csrf", {}, headers={"x-csrf": "abc", "set-cookie": "sid=1; Path=/"}).on("/register/finish", {})
    with server:
        visit = server.visit(ACCOUNT)
        visit.begin_registration()
        visit.finish_registration({"id": "x", "response": {}})
    begin, finish = app.seen[1:]
    assert (begin.method, begin.query) == ("POST", "v=1&q=Jane+Doe")
    assert begin.body == b"name=jane%40example.com&sid=1"
    assert begin.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (begin.headers["x-csrf"], begin.headers["origin"], begin.headers["cookie"]) == (
        "abc",
        "https://other.example",
        "sid=1",
    )
    assert (finish.method, finish.headers["origin"]) == ("PUT", "https://page.example")
    assert finish.json() == {
        "c": {"id": "x", "response": {}},
        "s": '{"id":"x","response":{}}',
        "at": "https://page.example",
        "n": 5,
    }


@pytest.mark.parametrize("credential", [None, [], "text", JsonText('{"a":1,"a":2}'), {"id": JsonText("NaN")}, 5])
def test_whatever_has_become_of_a_credential_goes_out(credential: object) -> None:
    app, server = scripted()
    app.on("/register/finish", {"ok": True})
    with server:
        visit = server.visit()
        visit.begin_registration()
        assert visit.finish_registration(credential).verdict is Verdict.ACCEPTED
    if isinstance(credential, JsonText):
        assert app.seen[-1].body == credential.text.encode()


def test_an_origin_is_not_sent_with_a_get() -> None:
    app, server = scripted(RECIPE.replace(', json = { name = "{user}" }', ""))
    with server:
        server.visit().begin_login()
    assert "origin" not in app.seen[0].headers
    assert app.seen[0].body == b""


def test_a_saved_value_is_refused_when_it_cannot_stand_in_a_header() -> None:
    text = RECIPE.replace(
        'begin = { url = "/register/begin"',
        'before = [{ url = "/x", save = { v = "$.v" } }]\nbegin = { url = "/register/begin", headers = { A = "{v}" }',
    )
    app, server = scripted(text)
    app.on("/x", {"v": "a\r\nEvil: 1"}).on("/x", {"v": "\u00e9"})
    with server:
        for _ in range(2):
            with pytest.raises(UnexpectedAnswer, match="cannot stand in one"):
                server.visit().begin_registration()


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("https://elsewhere.example/x", "The server sends its visitors elsewhere: elsewhere.example"),
        ("http://[::1", "is not the address of anything"),
        ("ftp://localhost/", "is not the address of anything"),
        ("http://localhost/a b", "is not the address of anything"),
    ],
)
def test_a_server_does_not_send_its_visitors_to_other_hosts(url: str, match: str) -> None:
    text = RECIPE.replace(
        'begin = { url = "/register/begin"',
        'before = [{ url = "/x", save = { next = "$.next" } }]\nbegin = { url = "{next}"',
    )
    app, server = scripted(text)
    app.on("/x", {"next": url})
    with server, pytest.raises(UnexpectedAnswer, match=match):
        server.visit().begin_registration()


def test_a_value_that_an_answer_lacks_is_named() -> None:
    text = RECIPE.replace("[register]", '[register]\nbefore = [{ url = "/x", save = { csrf = "$.csrf" } }]')
    app, server = scripted(text)
    app.on("/x", {})
    with server, pytest.raises(UnexpectedAnswer, match=r"has no \$.csrf, which was to be saved as csrf"):
        server.visit().begin_registration()


# Where the server is.


def test_an_address_is_needed_and_may_replace_that_of_the_recipe() -> None:
    recipe = recipe_of(
        RECIPE.replace('base_url = "http://localhost:8000"', 'origin = "http://x.localhost"').encode(), "t"
    )
    with pytest.raises(UsageError, match="does not say where the server is"):
        DescribedServer(recipe)
    server = DescribedServer(recipe, "http://localhost:9000/")
    assert (server.base_url, server.origin) == ("http://localhost:9000", "http://x.localhost")
    server.close()
    server = DescribedServer(recipe, "http://localhost:9000", origin="http://localhost:1")
    assert server.origin == "http://localhost:1"
    server.close()


def test_another_host_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="nobody has said that it may be tested"):
        over_http("https://login.example.com")
    over_http("https://login.example.com", allowed=["login.example.com"]).close()
