"""The one table from error class to exit number, and the only place where an error becomes a line on stderr."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import typer

from authctl import errors
from authctl.commands._output import Format, Output, ReaderLeft

if TYPE_CHECKING:
    from collections.abc import Callable

DONE, NO, USAGE, NOT_FOUND, REFUSED, STORAGE, UNREACHABLE, FAULT, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 70, 130

EXIT_NUMBERS: Final[dict[int, str]] = {
    DONE: "done; a listing exits 0 with or without rows",
    NO: "the answer is no, or something was found (`audit verify`, `config check`, `simulate`)",
    USAGE: "usage or settings: the command could not be understood or the settings are not usable",
    NOT_FOUND: "not found",
    REFUSED: "refused, conflict, or a truncated audit trail",
    STORAGE: "storage: there is no database, it cannot be used, or a file cannot be read or written",
    UNREACHABLE: "the server cannot be reached",
    FAULT: "a fault in authctl itself; `--debug` shows where",
    INTERRUPTED: "interrupted from the keyboard",
}
"""Every exit number with its meaning, in the words of the README."""

NUMBER_OF: Final[dict[type[errors.AuthctlError], int]] = {
    errors.AuthctlError: FAULT,
    errors.UsageError: USAGE,
    errors.SettingsError: USAGE,
    errors.MalformedBody: USAGE,
    errors.InvalidRequest: USAGE,
    errors.BadRequest: USAGE,
    errors.BodyTooLarge: USAGE,
    errors.HeadersTooLarge: USAGE,
    errors.UnsupportedMediaType: USAGE,
    errors.RequestTimeout: UNREACHABLE,
    errors.RouteNotFound: NOT_FOUND,
    errors.MethodNotAllowed: REFUSED,
    errors.RateLimited: REFUSED,
    errors.CeremonyFailed: NO,
    errors.RegistrationFailed: NO,
    errors.LoginFailed: NO,
    errors.NotAuthenticated: REFUSED,
    errors.TokenRejected: REFUSED,
    errors.AccessDenied: REFUSED,
    errors.LoginTooOld: REFUSED,
    errors.NotFound: NOT_FOUND,
    errors.Conflict: REFUSED,
    errors.LastCredential: REFUSED,
    errors.TooManyCredentials: REFUSED,
    errors.Refused: REFUSED,
    errors.StorageError: STORAGE,
    errors.StorageUnavailable: STORAGE,
    errors.StorageDamaged: STORAGE,
    errors.StorageMissing: STORAGE,
    errors.SchemaMismatch: STORAGE,
    errors.AlreadyExists: REFUSED,
    errors.AuditUnavailable: STORAGE,
    errors.TrailAltered: NO,
    errors.TrailTruncated: REFUSED,
    errors.ServerUnreachable: UNREACHABLE,
    errors.AuthenticatorError: REFUSED,
}
"""One row per class of `authctl.errors`; a subclass defined elsewhere shares the number of its nearest parent."""

_WHAT_IS_AWAY: Final[dict[type[errors.AuthctlError], str]] = {
    errors.StorageUnavailable: errors.StorageError.default_detail,
    errors.AuditUnavailable: "The audit trail cannot be written",
}


def exit_number(error: errors.AuthctlError) -> int:
    """The exit number of an error, by the most exact class that has one."""
    return next(NUMBER_OF[kind] for kind in type(error).__mro__ if kind in NUMBER_OF)


def run_guarded(action: Callable[[], object], output_format: Format, *, is_debugging: Callable[[], bool]) -> int:
    """Runs a command and returns its exit number; whatever it raises becomes one line, never a traceback."""
    output = Output(output_format)
    try:
        number = action()
        sys.stdout.flush()
    except (ReaderLeft, BrokenPipeError):
        _let_go_of_stdout()
        return DONE
    except (KeyboardInterrupt, typer.Abort):
        output.message("")  # leaves the line on which the terminal wrote ^C
        return INTERRUPTED
    except Exception as error:
        if is_debugging():
            _show_origin(error, output)
        number = _explain(error, output)
        with suppress(OSError):
            sys.stdout.flush()
            return number
        _let_go_of_stdout()
        return number
    return number if isinstance(number, int) else DONE


def _let_go_of_stdout() -> None:
    # The reader of a pipe has seen enough, as `head` does, or the disk is full. Python would complain again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_origin(error: Exception, output: Output) -> None:
    for line in "".join(traceback.format_exception(error)).splitlines():
        output.message(line)
    if isinstance(error, errors.AuthctlError) and error.debug:
        output.message(f"debug: {error.debug}")


def _explain(error: Exception, output: Output) -> int:
    match error:
        case errors.SettingsError():
            return _settings(error, output)
        case errors.AuthctlError():
            number = exit_number(error)
            output.error(_detail(error), hint=error.hint, type=error.slug, exit=number)
            return number
        case typer.TyperException():
            return _usage(error, output)
        case OSError():
            detail = ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
            output.error(detail, type="storage", exit=STORAGE)
            return STORAGE
        case _:
            detail = f"authctl met a fault of its own: {type(error).__name__}: {error}"
            output.error(detail, hint="AUTHCTL_DEBUG=1 shows where; please report it", type="fault", exit=FAULT)
            return FAULT


def _detail(error: errors.AuthctlError) -> str:
    # Strangers on the network are not told what is away; who sits at the terminal has to mend it.
    is_vague = error.detail == errors.StorageUnavailable.default_detail
    return _WHAT_IS_AWAY.get(type(error), error.detail) if is_vague else error.detail


def _settings(error: errors.SettingsError, output: Output) -> int:
    detail = error.problems[0] if len(error.problems) == 1 else error.default_detail
    problems = error.problems if len(error.problems) > 1 else ()
    output.error(detail, hint=error.hint, problems=problems, type=error.slug, exit=USAGE)
    return USAGE


def _usage(error: typer.TyperException, output: Output) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # Typer keeps the class private; the message is the whole help
        for line in error.format_message().splitlines():
            output.message(line)
        return USAGE
    hint = f"see {context.command_path} --help" if context is not None else None
    message = " ".join(error.format_message().split()).replace("Value error, ", "")
    output.error(message, hint=hint, type="usage", exit=USAGE)
    return USAGE
