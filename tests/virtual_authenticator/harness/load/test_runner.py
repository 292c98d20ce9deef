"""Whole loads on a server in this process, and on servers that misbehave (SPEC §11)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuthctlError, ServerUnreachable, UsageError
from authctl.virtual_authenticator.errors import CeremonyRefused, NothingListens, TimedOut, UnexpectedAnswer
from authctl.virtual_authenticator.harness.load import runner
from authctl.virtual_authenticator.harness.load.events import Ended, Event, Prepared, Preparing, Running
from authctl.virtual_authenticator.harness.load.people import is_reusable
from authctl.virtual_authenticator.harness.load.plan import Operation, Plan, parse_mix
from authctl.virtual_authenticator.harness.load.recording import Kind
from authctl.virtual_authenticator.harness.load.report import failures
from authctl.virtual_authenticator.harness.load.server import LoadedServer
from authctl.virtual_authenticator.harness.recipe.builtin import builtin, text_of
from authctl.virtual_authenticator.harness.recipe.check import recipe_of
from authctl.virtual_authenticator.harness.transport import Request, Transport
from authctl.virtual_authenticator.harness.wire import Wires
from tests.virtual_authenticator.harness.load.quick_server import QuickServer, listening

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.harness.load.report import Report

ORIGIN = "http://localhost:8000"
ALL = "login=1,register=1,read=1"
HTML = (200, {"content-type": "text/html"}, b"<html><title>Welcome</title></html>")


def plan(**members: Any) -> Plan:
    return Plan(**{"users": 3, "concurrency": 2, "seconds": None, "count": 12, "seed": "a", **members})


def loaded(quick: QuickServer, **options: Any) -> LoadedServer:
    recipe = options.pop("recipe", builtin("authctl"))
    return LoadedServer.of(recipe, ORIGIN, app=quick, **options)


def events_of(quick: QuickServer, what: Plan, **options: Any) -> list[Event]:
    with loaded(quick) as server:
        return list(runner.run(what, server, **options))


def report_of(quick: QuickServer, what: Plan, **options: Any) -> Report:
    last = events_of(quick, what, **options)[-1]
    assert isinstance(last, Ended)
    return last.report


def at(path: str, answer: Any, *, after: int = 0) -> Callable[[str, int], Any]:
    """What a server says to every request for a path but so many."""
    return lambda asked, number: answer if asked == path and number > after else None


def held(gate: threading.Event, seconds: float = 10.0) -> None:
    """Keeps a request waiting."""
    gate.wait(seconds)


def test_a_load_does_what_its_plan_says() -> None:
    quick = QuickServer()
    report = report_of(quick, plan(mix=parse_mix(ALL), count=60))
    tallies = report.snapshot.tallies
    assert set(tallies) == set(Operation)
    assert (report.snapshot.succeeded, report.snapshot.failed, report.snapshot.completed) == (60, 0, 60)
    # Three people registered and logged in before, and the first one read the profile.
    assert quick.asked["/register/complete"] == 3 + tallies[Operation.REGISTER].latency.count
    assert quick.asked["/login/complete"] == 3 + tallies[Operation.LOGIN].latency.count
    assert quick.asked["/users/me"] == 1 + tallies[Operation.READ].latency.count
    assert set(tallies[Operation.LOGIN].steps) == {"begin", "sign", "complete"}
    assert set(tallies[Operation.READ].steps) == {"read"}
    assert (report.stopped, report.is_gone, report.unfinished, report.unmade) == ("", False, 0, 0)
    assert report.seconds > 0
    assert report.cost.cpu_seconds > 0


def test_everybody_is_made_ready_first() -> None:
    events = events_of(QuickServer(), plan(users=5))
    assert [event.ready for event in events if isinstance(event, Preparing)] == [1, 2, 3, 4, 5]
    prepared = next(event for event in events if isinstance(event, Prepared))
    assert len(prepared.passkeys) == 5
    assert all(is_reusable(passkey, "localhost") for passkey in prepared.passkeys)


def test_people_whose_passkeys_were_kept_are_not_registered_again() -> None:
    quick = QuickServer()
    first = events_of(quick, plan(users=4))
    kept = next(event for event in first if isinstance(event, Prepared)).passkeys
    before = quick.asked["/register/complete"]
    report = report_of(quick, plan(users=3), known=kept)
    assert quick.asked["/register/complete"] == before
    assert report.snapshot.succeeded == 12
    report_of(quick, plan(users=6), known=kept)
    assert quick.asked["/register/complete"] == before + 2


def test_the_ramp_and_a_rate_are_kept() -> None:
    report = report_of(QuickServer(), plan(count=None, seconds=0.4, ramp=0.2, rate=100.0))
    assert report.is_open
    assert report.snapshot.unmeasured == 10
    assert report.snapshot.succeeded + report.unmade == 40
    grown = report_of(QuickServer(), plan(count=5, ramp=0.3))
    assert (grown.is_open, grown.snapshot.succeeded) == (False, 5)
    assert grown.snapshot.unmeasured > 0


def test_what_nobody_was_free_for_is_told() -> None:
    quick, gate = QuickServer(), threading.Event()
    quick.instead = lambda path, number: held(gate, 0.3) if path == "/login/complete" and number > 1 else None
    report = report_of(quick, plan(users=1, concurrency=1, count=None, seconds=0.5, rate=100.0))
    assert report.unmade > 20
    assert report.snapshot.behind > 0


@pytest.mark.parametrize(
    ("path", "answer", "kind", "status"),
    [
        ("/login/complete", (401, {}, b'{"type": "login-failed"}'), Kind.REFUSED, "401 login-failed"),
        ("/login/complete", (500, {}, b"oops"), Kind.CRASHED, "500 oops"),
        ("/login/complete", (429, {"retry-after": "1"}, b"slow"), Kind.LIMITED, "429 slow"),
        ("/login/complete", (503, {"retry-after": "1"}, b"busy"), Kind.LIMITED, "503 busy"),
        ("/login/complete", HTML, Kind.INCONCLUSIVE, "200 Welcome"),
        ("/login/complete", (302, {"location": "/x"}, b""), Kind.INCONCLUSIVE, "302 redirected to /x"),
        ("/login/begin", (400, {}, b'{"code": "no"}'), Kind.REFUSED, "answered 400 no"),
        ("/login/begin", (500, {}, b"oops"), Kind.CRASHED, "answered 500 oops"),
        ("/login/begin", (429, {}, b"slow"), Kind.LIMITED, "the server limits the rate"),
        ("/login/begin", (503, {"retry-after": "1"}, b"busy"), Kind.LIMITED, "answered 503 busy"),
        ("/login/begin", HTML, Kind.INCONCLUSIVE, "no options at $.publicKey"),
        ("/login/begin", (200, {}, b'{"publicKey": {"challenge": 5}}'), Kind.INCONCLUSIVE, "have no challenge"),
        (
            "/login/begin",
            (200, {}, b'{"publicKey": {"challenge": "YQ", "rpId": "example.com"}}'),
            Kind.CLIENT,
            "example.com",
        ),
        (
            "/login/begin",
            (200, {}, b'{"publicKey": {"challenge": "YQ", "rpId": "localhost", "allowCredentials": []}}'),
            None,
            "",
        ),
    ],
)
def test_what_a_server_says_is_told_by_kind(path: str, answer: Any, kind: Kind | None, status: str) -> None:
    quick = QuickServer(instead=at(path, answer, after=1))
    report = report_of(quick, plan(users=1, concurrency=1, count=1, mix=parse_mix("login")))
    assert report.snapshot.tallies[Operation.LOGIN].failures == ({} if kind is None else {kind: 1})
    if kind is not None:
        assert status in failures(report)[0]["reason"]


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    """R-RL: whoever is told to wait waits, and the wait is no part of the figures."""
    quick = QuickServer(instead=at("/login/complete", (429, {"retry-after": "1"}, b""), after=1))
    report = report_of(quick, plan(users=1, concurrency=1, count=None, seconds=0.5))
    assert quick.asked["/login/complete"] == 2
    assert report.snapshot.failed == 1


def test_a_strange_shape_of_options_ends_no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(*_: object) -> None:
        raise KeyError("strange")

    quick = QuickServer()
    with loaded(quick) as server:
        running = runner.run(plan(mix=parse_mix("login"), count=2), server)
        while not isinstance(next(running), Prepared):
            """Until everybody is ready."""
        monkeypatch.setattr("authctl.virtual_authenticator.client.client.Client.get", get)
        last = list(running)[-1]
    assert isinstance(last, Ended)
    assert failures(last.report)[0]["reason"] == "KeyError: 'strange'"


def test_whoever_is_logged_out_logs_in_before_reading_again() -> None:
    quick = QuickServer(instead=lambda path, number: (401, {}, b"{}") if path == "/users/me" and number == 2 else None)
    report = report_of(quick, plan(users=1, concurrency=1, count=3, mix=parse_mix("read")))
    tallies = report.snapshot.tallies
    assert tallies[Operation.READ].failures == {Kind.REFUSED: 1}
    assert (tallies[Operation.LOGIN].latency.count, tallies[Operation.READ].latency.count) == (1, 1)


# Before anything is measured.


def test_a_limit_is_waited_for_before_anything_is_measured() -> None:
    limited = (429, {"retry-after": "1"}, b"")
    quick = QuickServer(instead=lambda path, number: limited if path == "/register/begin" and number == 1 else None)
    assert report_of(quick, plan()).snapshot.succeeded == 12


@pytest.mark.parametrize(
    ("path", "answer", "after", "kind"),
    [
        ("/register/begin", HTML, 0, UnexpectedAnswer),
        ("/register/complete", (400, {}, b"{}"), 0, CeremonyRefused),
        ("/register/complete", (400, {}, b"{}"), 2, CeremonyRefused),
        ("/login/complete", (500, {}, b""), 0, UnexpectedAnswer),
        ("/users/me", (403, {}, b'{"code": "no"}'), 0, CeremonyRefused),
        ("/users/me", (500, {}, b""), 0, UnexpectedAnswer),
    ],
)
def test_a_server_that_accepts_nobody_is_not_loaded(
    path: str, answer: Any, after: int, kind: type[AuthctlError]
) -> None:
    quick = QuickServer(instead=at(path, answer, after=after))
    with pytest.raises(kind):
        report_of(quick, plan(users=4, mix=parse_mix(ALL)))


def test_a_profile_that_never_comes_is_told() -> None:
    quick = QuickServer(instead=at("/users/me", (0, {}, b"")))
    with listening(quick) as url, LoadedServer.of(builtin("authctl"), url) as server, pytest.raises(ServerUnreachable):
        list(runner.run(plan(mix=parse_mix("read")), server))


def test_reading_needs_a_recipe_that_says_how() -> None:
    text = "\n".join(line for line in text_of("authctl").splitlines() if not line.startswith("profile"))
    with (
        loaded(QuickServer(), recipe=recipe_of(text.encode(), "mine")) as server,
        pytest.raises(UsageError, match="mine does not say how a profile is read"),
    ):
        list(runner.run(plan(mix=parse_mix("read")), server))


def test_a_load_that_is_stopped_before_it_begins_measures_nothing() -> None:
    stop = threading.Event()
    stop.set()
    report = report_of(QuickServer(), plan(), stop=stop)
    assert (report.stopped, report.snapshot.succeeded, report.seconds) == (runner.INTERRUPTED, 0, 0.0)


# The end.


def test_a_load_that_is_stopped_tells_what_it_has() -> None:
    stop = threading.Event()
    quick = QuickServer(instead=lambda path, number: stop.set() if path == "/login/complete" and number > 20 else None)
    report = report_of(quick, plan(count=None, seconds=60.0), stop=stop)
    assert report.stopped == runner.INTERRUPTED
    assert report.snapshot.succeeded >= 18


def test_whoever_does_not_read_on_ends_the_load() -> None:
    quick = QuickServer()
    with loaded(quick) as server:
        running = runner.run(plan(count=None, seconds=60.0), server)
        while not isinstance(next(running), Running):
            """Until it runs."""
        running.close()  # type: ignore[attr-defined]
    while [thread for thread in threading.enumerate() if thread.name.startswith("authctl-load")]:
        """Until everybody has left."""


def test_a_server_that_is_gone_ends_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_GONE_SECONDS", 0.2)
    quick = QuickServer()
    with listening(quick) as url:
        server = LoadedServer.of(builtin("authctl"), url, timeout=0.1)
        running = runner.run(plan(count=None, seconds=60.0, mix=parse_mix("login")), server)
        while not isinstance(next(running), Prepared):
            """Until everybody is ready."""
        assert isinstance(next(running), Running)
        # Connections that are open outlive the listener.
        quick.instead = lambda *_: (0, {}, b"")
    with server:
        last = list(running)[-1]
    assert isinstance(last, Ended)
    assert (last.report.is_gone, last.report.stopped) == (True, runner.GONE)
    assert {row["kind"] for row in failures(last.report)} >= {"unreachable"}


def test_a_server_that_is_silent_at_the_end_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_SILENT_SECONDS", 0.0)
    quick = QuickServer(instead=at("/login/begin", (0, {}, b""), after=1))
    with listening(quick) as url, LoadedServer.of(builtin("authctl"), url) as server:
        last = list(runner.run(plan(count=None, seconds=1.0, mix=parse_mix("login")), server))[-1]
    assert isinstance(last, Ended)
    assert last.report.is_gone
    assert {row["kind"] for row in failures(last.report)} == {"crashed"}


def test_a_server_that_is_slow_for_once_is_a_timeout() -> None:
    gate = threading.Event()

    def instead(path: str, number: int) -> Any:
        if path == "/login/begin" and number == 2:
            gate.wait(10)
        return None

    quick = QuickServer(instead=instead)
    with listening(quick) as url, LoadedServer.of(builtin("authctl"), url, timeout=0.2) as server:
        last = list(runner.run(plan(users=1, concurrency=1, count=1, mix=parse_mix("login")), server))[-1]
        gate.set()
    assert isinstance(last, Ended)
    (row,) = failures(last.report)
    assert (row["kind"], row["step"], row["count"]) == ("timeout", "begin", 1)


def test_what_has_no_end_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_HURRIED_SECONDS", 0.1)
    stop, gate = threading.Event(), threading.Event()

    def instead(path: str, number: int) -> Any:
        if path == "/login/begin" and number == 2:
            stop.set()
            gate.wait(10)
        return None

    quick = QuickServer(instead=instead)
    with listening(quick) as url, LoadedServer.of(builtin("authctl"), url, stop=stop) as server:
        last = list(runner.run(plan(users=1, concurrency=1, mix=parse_mix("login")), server, stop=stop))[-1]
    gate.set()
    assert isinstance(last, Ended)
    assert (last.report.unfinished, last.report.stopped) == (1, runner.INTERRUPTED)


def test_a_connection_that_closes_between_two_requests_is_counted() -> None:
    quick = QuickServer(instead=lambda path, number: (0, {}, b"") if path == "/login/begin" and number == 3 else None)
    with listening(quick) as url, LoadedServer.of(builtin("authctl"), url) as server:
        last = list(runner.run(plan(users=1, concurrency=1, count=3, mix=parse_mix("login")), server))[-1]
    assert isinstance(last, Ended)
    assert (last.report.snapshot.retries, last.report.snapshot.succeeded) == (1, 3)


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_a_recipe_can_undo_is_undone(is_whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_whole:
        monkeypatch.setattr(runner, "_GOODBYE_SECONDS", -1.0)
    text = 'teardown = [{ url = "/gone", method = "DELETE", status = [404] }]\n'
    lines = text_of("authctl").splitlines()
    at_line = next(number for number, line in enumerate(lines) if line.startswith("[register]"))
    recipe = recipe_of("\n".join([*lines[:at_line], text, *lines[at_line:]]).encode(), "mine")
    quick = QuickServer()
    with loaded(quick, recipe=recipe) as server:
        list(runner.run(plan(users=3, count=4, mix=parse_mix("register")), server))
    assert quick.asked.get("/gone", 0) == (7 if is_whole else 0)


# The way there.


@pytest.mark.parametrize(
    ("url", "environment", "kind"),
    [
        ("http://localhost:1", {"http_proxy": "http://127.0.0.1:9"}, Wires),
        ("http://192.0.2.1", {}, Wires),
        ("http://192.0.2.1", {"http_proxy": "http://127.0.0.1:9"}, Transport),
        ("https://localhost:1", {}, Transport),
    ],
)
def test_the_cheapest_way_is_taken_that_leads_there(
    url: str, environment: dict[str, str], kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    server = LoadedServer.of(builtin("authctl"), url, allowed=("192.0.2.1",))
    with server:
        assert type(server.metered._channel) is kind


def test_nothing_is_sent_when_the_server_was_closed() -> None:
    quick = QuickServer()
    server = loaded(quick)
    with server:
        """Opened and closed."""
    with pytest.raises(ServerUnreachable, match="The load is over"):
        server.metered.send(Request("GET", "/users/me"))
    assert quick.asked == {}
    loaded(quick).metered.close()


def test_another_host_needs_permission() -> None:
    with pytest.raises(UsageError, match="nobody has said that it may be tested"):
        LoadedServer.of(builtin("authctl"), "http://login.example.com")


@pytest.mark.parametrize("error", [NothingListens, TimedOut])
def test_the_first_request_tells_when_nobody_is_there(error: type[AuthctlError]) -> None:
    quick = QuickServer()
    gate = threading.Event()
    quick.instead = lambda *_: held(gate)
    with listening(quick) as url:
        address = "http://localhost:9" if error is NothingListens else url
        with LoadedServer.of(builtin("authctl"), address, timeout=0.2) as server, pytest.raises(error):
            list(runner.run(plan(), server))
        gate.set()
