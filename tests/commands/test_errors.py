from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
import typer

from authctl import errors
from authctl.commands import _errors
from authctl.commands._errors import EXIT_NUMBERS, NUMBER_OF, exit_number, run_guarded
from authctl.commands._output import Format

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_CLASS = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.AuthctlError) and found.__module__ == errors.__name__
]


def failing(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def run(action: Callable[[], object], output_format: Format = Format.TABLE, *, debug: bool = False) -> int:
    return run_guarded(action, output_format, is_debugging=lambda: debug)


@pytest.mark.parametrize("kind", EVERY_CLASS, ids=lambda kind: str(kind.__name__))
def test_every_error_class_has_its_own_row_and_a_documented_number(kind: type[errors.AuthctlError]) -> None:
    """R-CL-09."""
    assert kind in NUMBER_OF
    assert NUMBER_OF[kind] in EXIT_NUMBERS
    assert NUMBER_OF[kind] != 0


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (errors.UsageError(), 2),
        (errors.SettingsError(("x",)), 2),
        (errors.NotFound(), 3),
        (errors.Refused(), 4),
        (errors.Conflict(), 4),
        (errors.TrailTruncated(), 4),
        (errors.TrailAltered(), 1),
        (errors.StorageMissing(), 5),
        (errors.StorageDamaged(), 5),
        (errors.StorageUnavailable("away"), 5),
        (errors.AuditUnavailable("away"), 5),
        (errors.SchemaMismatch(), 5),
        (errors.ServerUnreachable(), 6),
        (errors.LoginFailed("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_exit_with_the_promised_number(
    error: errors.AuthctlError, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(error)) == number
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"error: {error.detail}\n"


def test_a_class_from_elsewhere_shares_the_number_of_its_nearest_parent() -> None:
    class TooManyKeys(errors.AuthenticatorError):
        pass

    class Locked(errors.StorageUnavailable):
        pass

    assert exit_number(TooManyKeys()) == 4
    assert exit_number(Locked()) == 5


def test_an_error_says_its_hint_and_never_its_debug_text(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(errors.NotFound("no such user", hint="see users list", debug="SECRET")), Format.JSON)
    captured = capsys.readouterr()
    assert captured.err == "error: no such user\nhint: see users list\n"
    assert "SECRET" not in captured.out


def test_all_problems_of_the_settings_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """R-CF-03."""
    assert run(failing(errors.SettingsError(("one", "two"), hint="look"))) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: The settings are not usable",
        "  - one",
        "  - two",
        "hint: look",
    ]


def test_a_single_problem_of_the_settings_is_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(errors.SettingsError(("only one",))))
    assert capsys.readouterr().err == "error: only one\n"


def test_an_unexpected_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(ZeroDivisionError("by \x1b[31mzero"))) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == r"error: authctl met a fault of its own: ZeroDivisionError: by \x1b[31mzero"
    assert len(lines) == 2


def test_a_traceback_is_shown_when_asked_for_and_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """R-CL-01: tracebacks obey the same rule."""
    assert run(failing(ZeroDivisionError("\x1b[31m")), debug=True) == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "\x1b" not in shown


def test_private_text_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(errors.StorageUnavailable(debug="SQLITE_BUSY\x1b")), debug=True)
    assert "debug: SQLITE_BUSY\\x1b\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied", "app.db"), "error: app.db: Permission denied\n"),
        (OSError("odd"), "error: odd\n"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_storage_error(
    error: OSError, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(error)) == 5
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_exits_as_shells_expect(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(error)) == 130
    assert capsys.readouterr() == ("", "\n")


def test_what_is_away_is_named_at_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(errors.StorageUnavailable(hint="try again"))) == 5
    assert run(failing(errors.AuditUnavailable())) == 5
    assert run(failing(errors.StorageUnavailable("app.db cannot be read"))) == 5
    assert capsys.readouterr().err.splitlines() == [
        "error: The database cannot be used",
        "hint: try again",
        "error: The audit trail cannot be written",
        "error: app.db cannot be read",
    ]


def test_a_number_that_a_command_chose_is_kept() -> None:
    assert run(lambda: 4) == 4
    assert run(lambda: None) == 0


def test_a_usage_error_without_a_command_is_still_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(typer.BadParameter("too\nlong"))) == 2
    assert capsys.readouterr().err == "error: Invalid value: too long\n"


def test_the_numbers_have_names_and_meanings() -> None:
    named: dict[str, Any] = {
        name: value for name, value in vars(_errors).items() if name.isupper() and type(value) is int
    }
    assert sorted(named.values()) == sorted(EXIT_NUMBERS)
    assert all(meaning for meaning in EXIT_NUMBERS.values())
