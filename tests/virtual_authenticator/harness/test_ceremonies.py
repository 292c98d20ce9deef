"""Whole ceremonies against a server that does right, and against one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from authctl.errors import AuthctlError
from authctl.virtual_authenticator import Client, FileStore, Gesture, VirtualAuthenticator
from authctl.virtual_authenticator.errors import (
    CeremonyRefused,
    ClientRefused,
    NoPasskey,
    StoreUnusable,
    TooManyRequests,
    UnexpectedAnswer,
)
from authctl.virtual_authenticator.harness.accounts import Account, throw_away_account
from authctl.virtual_authenticator.harness.ceremonies import (
    LoggedIn,
    Registered,
    login,
    login_registering_first,
    register,
)
from authctl.virtual_authenticator.harness.steps import Step, ask, drive
from authctl.virtual_authenticator.harness.transport import Request, Transport
from tests.virtual_authenticator.harness.fake_server import FakeServer, token

URL = "http://localhost:8000"
JANE = Account("Jane@example.com")
HTML = {"content-type": "text/html; charset=utf-8"}
WAITING = "the server limits the rate: waiting 3 s"
JSON = {"content-type": "application/json"}


class Bench:
    """A server, a client and the steps between them."""

    def __init__(self, *, authenticator: VirtualAuthenticator | None = None, **options: Any) -> None:
        self.server = FakeServer()
        self.client = Client(authenticator or VirtualAuthenticator(), options.pop("origin", URL), **options)
        self.steps: list[Step] = []
        self.pauses: list[float] = []

    def register(self, account: Account = JANE, **options: Any) -> Registered:
        with Transport(URL, app=self.server) as transport:
            return drive(register(self.client, account, **options), transport, on_step=self.steps.append)

    def login(self, email: str | None = JANE.email, **options: Any) -> LoggedIn:
        with Transport(URL, app=self.server) as transport:
            return drive(
                login(self.client, email), transport, on_step=self.steps.append, sleep=self.pauses.append, **options
            )

    def names(self) -> list[tuple[str, str]]:
        return [(step.ceremony, step.name) for step in self.steps]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_registration_and_a_login_report_every_step(bench: Bench) -> None:
    registered = bench.register()
    logged_in = bench.login()
    assert registered.credential_id == logged_in.credential_id
    assert (registered.rp_id, logged_in.user, logged_in.claims["sub"]) == ("localhost", registered.user, "user-0")
    assert bench.names() == [
        ("register", "begin"),
        ("register", "create passkey"),
        ("register", "complete"),
        ("login", "begin"),
        ("login", "sign"),
        ("login", "complete"),
        ("login", "check token"),
        ("login", "read profile"),
    ]
    assert all(step.error is None and step.seconds >= 0 for step in bench.steps)
    assert bench.steps[4].facts["sign_count"] == 1
    assert bench.steps[1].facts["flags"] == "UP+UV+AT"
    assert bench.server.seen[-1] == ("GET", "/users/user-0")
    assert bench.server.headers["authorization"] == f"Bearer {logged_in.access_token}"


def test_the_application_is_started_and_stopped_around_the_ceremony(bench: Bench) -> None:
    bench.register()
    assert bench.server.events == ["startup", "shutdown"]


def test_a_login_without_email_uses_the_passkey_that_is_there(bench: Bench) -> None:
    bench.register()
    assert bench.login(None).user["email"] == JANE.email


def test_the_token_is_not_in_the_report(bench: Bench) -> None:
    """R-LG-05."""
    bench.register()
    logged_in = bench.login()
    assert logged_in.access_token not in repr((logged_in, bench.steps))


def test_a_login_fails_cleanly_when_the_authenticator_has_no_passkey(bench: Bench) -> None:
    with pytest.raises(NoPasskey):
        bench.login()
    assert bench.steps[-1].name == "sign"
    assert isinstance(bench.steps[-1].error, NoPasskey)


def test_the_refusal_says_what_was_sent_when_the_origin_differs() -> None:
    bench = Bench(origin="http://app.localhost:8000")
    with pytest.raises(CeremonyRefused) as caught:
        bench.register()
    assert "400 Registration failed" in caught.value.detail
    assert "Sent origin http://app.localhost:8000 and RP id localhost" in caught.value.detail
    for word in ("ORIGIN", "RP_ID", "authctl audit list --failure"):
        assert word in str(caught.value.hint)
    assert bench.steps[-1].error is caught.value


def test_a_refused_passkey_is_forgotten(bench: Bench) -> None:
    bench.register()
    with pytest.raises(CeremonyRefused, match="Registration failed"):
        bench.register()
    assert len(bench.client.authenticator.store.all()) == 1


def test_a_passkey_is_kept_when_nobody_knows_whether_the_server_took_it(bench: Bench) -> None:
    bench.server.answers["/register/complete"] = (500, {}, b"")
    with pytest.raises(UnexpectedAnswer):
        bench.register()
    assert len(bench.client.authenticator.store.all()) == 1


def test_the_refusal_of_a_login_says_what_was_sent(bench: Bench) -> None:
    bench.register()
    bench.client.gesture = Gesture(is_user_verified=False, is_forced=True)
    with pytest.raises(CeremonyRefused, match="401 Invalid credentials"):
        bench.login()


def test_the_client_refuses_when_the_rp_id_is_not_of_its_origin(bench: Bench) -> None:
    """R-CL-06."""
    bench.server.rp_id = "example.com"
    with pytest.raises(ClientRefused, match=r"may not use RP id 'example\.com'"):
        bench.register()
    assert bench.server.seen == [("POST", "/register/begin")]


def test_trouble_with_the_file_is_not_taken_for_the_servers(tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    bench = Bench(authenticator=VirtualAuthenticator(store=FileStore(tmp_path / "file" / "x.json")))
    with pytest.raises(StoreUnusable):
        bench.register()


def test_the_fields_are_named_when_the_server_finds_them_invalid(bench: Bench) -> None:
    document = b'{"title": "Invalid", "errors": [{"field": "email", "message": "is not valid"}, 5]}'
    bench.server.answers["/register/begin"] = (422, {"content-type": "application/problem+json"}, document)
    with pytest.raises(CeremonyRefused, match="422 Invalid; email: is not valid") as caught:
        bench.register()
    assert caught.value.hint is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, HTML, b"<html>"), "text/html; charset=utf-8 instead of JSON"),
        ((200, {}, b""), "no content type instead of JSON"),
        ((200, JSON, b"{"), "broken or no object"),
        ((200, JSON, b"[]"), "broken or no object"),
        ((200, JSON, b"[" * 100_000), "broken or no object"),
        ((200, JSON, b'"' + b"x" * 1_100_000 + b'"'), "larger than 1 MB"),
        ((200, JSON, b"{}"), "no publicKey"),
        ((204, {}, b""), "answered 204"),
        ((302, {"location": "https://elsewhere.example"}, b""), "redirected to https://elsewhere.example"),
        ((307, {}, b""), "redirected to nowhere"),
        ((403, HTML, b"<html>"), "answered 403 with text/html"),
        ((404, JSON, b"{}"), "answered 404"),
        ((405, JSON, b"{}"), "answered 405"),
        ((500, HTML, b"<html>"), "failed with 500$"),
        ((503, JSON, b'{"detail": "busy"}'), "failed with 503 busy"),
        ((503, JSON, b'{"detail": "' + b"x" * 2000 + b'"}'), "x…$"),
        ((200, {"content-encoding": "gzip"}, b"not gzip"), "garbled"),
    ],
)
def test_an_answer_is_told_apart_when_it_is_none_of_authctls(bench: Bench, answer: Any, words: str) -> None:
    bench.server.answers["/register/begin"] = answer
    with pytest.raises(UnexpectedAnswer, match=words):
        bench.register()
    assert bench.steps[-1].error is not None


@pytest.mark.parametrize(
    "change",
    [
        {"challenge": None},
        {"challenge": "***"},
        {"rp": []},
        {"rp": {"id": ["localhost"]}},
        {"user": {"id": 1}},
        {"pubKeyCredParams": "ES256"},
        {"pubKeyCredParams": [{"type": "public-key", "alg": -65535}]},
    ],
)
def test_broken_options_are_the_servers_fault(bench: Bench, change: dict[str, Any]) -> None:
    bench.server.answers["/register/begin"] = lambda document: {"publicKey": {**document["publicKey"], **change}}
    with pytest.raises(ClientRefused):
        bench.register()


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 5},
        {"email": None},
        {"email": "other@example.com"},
    ],
)
def test_a_registration_is_refused_when_the_user_in_the_answer_is_wrong(bench: Bench, change: dict[str, Any]) -> None:
    bench.server.answers["/register/complete"] = lambda document: {**document, **change}
    with pytest.raises(UnexpectedAnswer):
        bench.register()


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": None},
        {"token_type": "mac"},
        {"expires_in": None},
        {"expires_in": True},
        {"expires_in": -1},
        {"user": None},
        {"user": {"id": "user-0", "email": "other@example.com"}},
        {"access_token": "a.b"},
        {"access_token": "a.b.c"},
        {"access_token": "!.!.c"},
        {"access_token": token([])},
        {"access_token": token({"sub": "user-0", "exp": 9, "iat": 1}, header={"alg": "none"})},
        {"access_token": token({"sub": "user-0", "exp": 9, "iat": 1}, signature="")},
        {"access_token": token({"sub": "user-1", "exp": 9, "iat": 1})},
        {"access_token": token({"sub": "user-0"})},
        {"access_token": token({"sub": "user-0", "exp": 1, "iat": 1})},
        {"access_token": token({"sub": "user-0", "exp": 10**12, "iat": 1})},
        {"access_token": token({"sub": "user-0", "exp": 9, "iat": "1"})},
    ],
)
def test_a_login_is_refused_when_the_token_response_is_wrong(bench: Bench, change: dict[str, Any]) -> None:
    bench.register()
    bench.server.answers["/login/complete"] = lambda document: {**document, **change}
    with pytest.raises(UnexpectedAnswer):
        bench.login()


@pytest.mark.parametrize("change", [{"id": "user-9"}, {"email": "other@example.com"}, {"id": None}])
def test_a_login_is_refused_when_the_profile_is_of_another_user(bench: Bench, change: dict[str, Any]) -> None:
    bench.register()
    bench.server.answers["/users/user-0"] = lambda document: {**document, **change}
    with pytest.raises(UnexpectedAnswer):
        bench.login()


def test_the_harness_waits_when_the_server_asks_for_a_little_patience(bench: Bench) -> None:
    bench.register()
    limited = [(429, {"retry-after": text}, b"") for text in ("3", "0", "nonsense")]
    bench.server.answers["/login/begin"] = limited
    bench.login()
    assert bench.pauses == [3, 1, 1]
    assert next(step.summary for step in bench.steps if step.name == "wait") == WAITING


@pytest.mark.parametrize("text", ["31", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_the_harness_gives_up_when_the_server_asks_for_too_much_patience(bench: Bench, text: str) -> None:
    bench.server.answers["/login/begin"] = (429, {"retry-after": text}, b"")
    with pytest.raises(TooManyRequests, match="limits the rate"):
        bench.login()
    assert bench.pauses == []


def test_patience_ends_when_the_server_never_stops_asking(bench: Bench) -> None:
    bench.server.answers["/login/begin"] = (429, {"retry-after": "2"}, b"")
    with pytest.raises(TooManyRequests):
        bench.login(patience=5.0)
    assert bench.pauses == [2, 2]


def test_a_ceremony_complains_when_it_is_driven_without_answers() -> None:
    ceremony = ask(Request("GET", "/"))
    next(ceremony)
    with pytest.raises(TypeError, match="without the answer"):
        next(ceremony)


def test_every_throw_away_account_is_a_new_one() -> None:
    assert throw_away_account().email != throw_away_account().email
    assert throw_away_account().email.endswith("@example.com")


def test_ceremony_errors_are_for_the_edge_to_show() -> None:
    assert all(
        issubclass(kind, AuthctlError) for kind in (CeremonyRefused, UnexpectedAnswer, NoPasskey, TooManyRequests)
    )
    assert UnexpectedAnswer().reason == "unexpected-answer"


def login_first(bench: Bench, email: str | None, account: Account = JANE) -> LoggedIn:
    with Transport(URL, app=bench.server) as transport:
        ceremony = login_registering_first(bench.client, account, email=email)
        return drive(ceremony, transport, on_step=bench.steps.append)


def test_a_user_is_registered_first_when_no_email_is_known(bench: Bench) -> None:
    assert login_first(bench, None).user["email"] == JANE.email
    assert [ceremony for ceremony, _ in bench.names()] == ["register"] * 3 + ["login"] * 5


def test_nobody_is_registered_when_the_server_lists_the_passkey(bench: Bench) -> None:
    bench.register()
    bench.steps.clear()
    login_first(bench, JANE.email)
    assert [ceremony for ceremony, _ in bench.names()] == ["login"] * 5


def test_a_user_is_registered_first_when_the_server_has_forgotten_the_passkey(bench: Bench) -> None:
    bench.register()
    bench.server.credentials.clear()
    bench.server.users.clear()
    bench.steps.clear()
    logged_in = login_first(bench, JANE.email, Account("new@example.com"))
    assert logged_in.user["email"] == "new@example.com"
    assert bench.names()[:3] == [("login", "begin"), ("login", "look for passkey"), ("register", "begin")]
    assert all(step.error is None for step in bench.steps)


def test_the_gesture_is_for_the_login_when_a_user_is_registered_first(bench: Bench) -> None:
    bench.client.gesture = Gesture(is_user_verified=False, is_forced=True)
    with pytest.raises(CeremonyRefused, match="401"):
        login_first(bench, None)
    assert bench.names()[-1] == ("login", "complete")


def test_broken_options_are_told_when_a_passkey_is_looked_for(bench: Bench) -> None:
    bench.register()
    bench.server.answers["/login/begin"] = lambda document: {"publicKey": {**document["publicKey"], "challenge": 1}}
    with pytest.raises(ClientRefused, match="challenge"):
        login_first(bench, JANE.email)


def test_trouble_with_the_file_is_told_when_a_passkey_is_looked_for(tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    bench = Bench(authenticator=VirtualAuthenticator(store=FileStore(tmp_path / "file" / "x.json")))
    with pytest.raises(StoreUnusable):
        login_first(bench, JANE.email)
