from __future__ import annotations

import inspect
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from authctl.commands._filter_options import OPTIONS
from authctl.commands._filters import CHOOSING, Filters, filtered, person
from authctl.commands._options import EmailArgument  # noqa: TC001 - read when the command is made
from authctl.errors import UsageError
from authctl.server.audit.events import EventType
from authctl.server.audit.queries import EventQuery

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def typed(*words: str, **how: Any) -> Filters:
    """What a command receives that takes the vocabulary."""
    received: list[Filters] = []

    @filtered(**how)
    def command(filters: Filters) -> None:
        received.append(filters)

    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return received[0]


def test_every_field_is_an_option_and_every_option_a_field() -> None:
    assert set(OPTIONS) == set(Filters.__dataclass_fields__)
    assert set(CHOOSING) < set(OPTIONS)


def test_a_question_asks_for_nothing_when_nothing_is_typed() -> None:
    assert typed().query(NOW) == EventQuery()


def test_every_filter_reaches_the_question() -> None:
    filters = typed(
        *("--event", "login_complete, !checkpoint", "--event", "user_access", "--user", " JANE@Example.com"),
        *("--ip", "192.0.2.0/24,2001:db8::1", "--agent", "curl, 8", "--reason", "signature_invalid", "--since", "24h"),
        *("--until", "2026-06-01T11:00Z", "--failure", "--contains", "x", "-n", "7", "--order", "oldest"),
    )
    assert filters.query(NOW) == EventQuery(
        events=("login_complete", "!checkpoint", "user_access"),
        user="jane@example.com",
        ips=("192.0.2.0/24", "2001:db8::1"),
        agent="curl, 8",
        reasons=("signature_invalid",),
        since=NOW - timedelta(days=1),
        until=NOW - timedelta(hours=1),
        success=False,
        contains="x",
        limit=7,
        order="oldest",
    )


def test_a_command_keeps_its_own_parameters_and_leaves_out_what_it_names() -> None:
    @filtered(without=("user", "limit"), defaults={"order": "oldest"})
    def command(email: EmailArgument, filters: Filters, is_big: bool = False) -> None:
        """Does something."""

    parameters = inspect.signature(command).parameters
    assert list(parameters)[:2] == ["email", "is_big"]
    assert {"user", "limit", "filters"}.isdisjoint(parameters)
    assert parameters["order"].default == "oldest"
    assert command.__doc__ == "Does something."


def test_the_decorator_does_without_arguments() -> None:
    @filtered
    def command(filters: Filters) -> None:
        received.append(filters)

    received: list[Filters] = []
    command(**dict.fromkeys(OPTIONS))
    assert received[0].count_by == ()


@pytest.mark.parametrize(
    ("words", "fixed", "field", "value"),
    [
        ((), {"events": ("login_complete",)}, "events", ("login_complete",)),
        (("--event", "login_complete"), {"events": ("login_complete",)}, "events", ("login_complete",)),
        (("--event", "user_access"), {"events": ("token_rejected", "user_access")}, "events", ("user_access",)),
        (("--event", "!user_access"), {"events": ("token_rejected", "user_access")}, "events", ("token_rejected",)),
        (("--event", "logn_complete"), {"events": ("login_complete",)}, "events", ("logn_complete",)),
        (("--failure",), {"success": False}, "success", False),
        ((), {"success": False}, "success", False),
        (("--order", "newest", "--limit", "3"), {"order": "oldest", "limit": None}, "order", "oldest"),
        ((), {"only_others": True}, "only_others", True),
    ],
)
def test_what_a_command_lays_down_narrows_what_was_typed(
    words: tuple[str, ...], fixed: dict[str, Any], field: str, value: object
) -> None:
    assert getattr(typed(*words).query(NOW, **fixed), field) == value


@pytest.mark.parametrize(
    ("words", "fixed", "said"),
    [
        (("--event", "user_access"), {"events": ("login_complete",)}, "--event user_access contradicts this command"),
        (("--event", "!login_complete"), {"events": ("login_complete",)}, "no event is left"),
        (("--success",), {"success": False}, "--success contradicts this command: it looks at what failed"),
        (("--failure",), {"success": True}, "--failure contradicts this command: it looks at what succeeded"),
        (("--user", "a@b.cd"), {"user": "x@y.zz"}, "--user a@b.cd contradicts this command"),
    ],
)
def test_a_contradiction_is_a_usage_error(words: tuple[str, ...], fixed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        typed(*words).query(NOW, **fixed)


def test_columns_go_by_the_names_of_the_options_too() -> None:
    filters = typed("--count-by", "ip,user", "--count-by", "hour,ip")
    assert filters.count_by == ("ip", "user", "hour")
    assert filters.columns() == ("ip_address", "user_email", "hour")


@pytest.mark.parametrize(
    ("filters", "hint"),
    [
        (Filters(event=("login_complet",)), "did you mean login_complete?"),
        (Filters(reason=("signature_invalit",)), "did you mean signature_invalid?"),
        (Filters(reason=("!acces_denied",)), "did you mean access_denied?"),
        (Filters(ip=("192.0.2.1/24",)), "did you mean 192.0.2.0/24 or 192.0.2.1?"),
        (Filters(since="1h", until="2h"), "--since has to be before --until"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_nearest(filters: Filters, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        filters.wanted(NOW)
    assert raised.value.hint == hint


def test_a_column_that_cannot_be_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        Filters(count_by=("ip_adress",)).columns()
    assert raised.value.hint == "did you mean ip_address?"


def test_a_reason_of_other_programs_is_taken_as_it_is() -> None:
    assert Filters(reason=("something_else",)).wanted(NOW).reasons == ("something_else",)


def test_every_kind_of_event_can_be_asked_for() -> None:
    assert Filters(event=tuple(EventType)).wanted(NOW).event_types == tuple(EventType)


def test_a_person_is_looked_up_by_e_mail_or_id() -> None:
    assert person(" Jane@EXAMPLE.com ") == "jane@example.com"
    assert person("6343252E-550e-439d-8b81-e63b940934a0") == "6343252e-550e-439d-8b81-e63b940934a0"


def test_a_token_comes_from_the_file_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCTL_TOKEN", "of.the.environment")
    assert Filters(url="https://a.example").token == "of.the.environment"
    (tmp_path / "token").write_text("of.the.file\n")
    assert Filters(url="https://a.example", token_file=tmp_path / "token").token == "of.the.file"


def test_a_token_can_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("of.a.pipe\n"))
    assert Filters(url="https://a.example", token_file=Path("-")).token == "of.a.pipe"


def test_no_token_is_needed_when_the_database_is_here() -> None:
    assert Filters().token is None


@pytest.mark.parametrize("content", [b"", b"two words", b"a\x00b", b"\xff\xfe", b"x" * 20_000, "tök".encode()])
def test_a_file_that_holds_no_token_is_a_usage_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(UsageError, match="holds no token"):
        _ = Filters(url="https://a.example", token_file=tmp_path / "token").token


def test_a_missing_token_is_a_usage_error_that_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHCTL_TOKEN", raising=False)
    with pytest.raises(UsageError, match="needs a token") as raised:
        _ = Filters(url="https://a.example").token
    assert raised.value.hint is not None
    assert "--print-token" in raised.value.hint


def test_a_token_without_a_service_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="means nothing without --url"):
        _ = Filters(token_file=tmp_path / "token").token


def test_a_token_file_that_cannot_be_read_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        _ = Filters(url="https://a.example", token_file=tmp_path / "none").token


def test_no_option_takes_a_token_that_other_users_of_the_machine_could_see() -> None:
    assert "token" not in OPTIONS
    assert os.environ.get("AUTHCTL_TOKEN") is None
