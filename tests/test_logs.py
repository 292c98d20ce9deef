"""The operational log stays on its lines and keeps its secrets."""

from __future__ import annotations

import base64
import io
import json
import logging
import secrets
import sys
from typing import TYPE_CHECKING, Any

import pytest

from authctl.logs import LONGEST_MESSAGE, configure_logs, request_id

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("authctl.tests")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture(autouse=True)
def _untouched_loggers() -> Iterator[None]:
    """Puts the authctl logger back as it was."""
    logger = logging.getLogger("authctl")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate


@pytest.fixture
def stream() -> io.StringIO:
    """A configured log that is no terminal."""
    target = io.StringIO()
    configure_logs("debug", stream=target)
    return target


def documents(stream: io.StringIO) -> list[dict[str, Any]]:
    """The JSON lines of a log."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_log_is_json_lines_when_stderr_is_no_terminal(stream: io.StringIO) -> None:
    log.warning("disk is %d%% full", 93, extra={"path": "/data", "free": 7})
    (line,) = documents(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning", "logger": "authctl.tests", "message": "disk is 93% full", "path": "/data", "free": 7,
    }  # fmt: skip


def test_log_is_plain_text_when_stderr_is_a_terminal() -> None:
    stream = Terminal()
    configure_logs("info", stream=stream)
    log.info("started")
    token = request_id.set("req-1")
    log.error("broken")
    request_id.reset(token)
    first, second = stream.getvalue().splitlines()
    assert first.endswith("INFO     authctl.tests: started")
    assert second.endswith("ERROR    authctl.tests: broken [req-1]")
    assert first.split(" ")[0].endswith("Z")


def test_form_of_the_log_can_be_chosen_instead() -> None:
    stream = Terminal()
    configure_logs("info", stream=stream, as_json=True)
    log.info("started")
    assert documents(stream)[0]["message"] == "started"


def test_log_goes_to_stderr_when_nothing_else_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    log.info("here")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "here" in captured.err


def test_level_decides_what_is_logged() -> None:
    stream = io.StringIO()
    configure_logs("WARNING", stream=stream)
    log.info("quiet")
    log.warning("loud")
    assert [line["message"] for line in documents(stream)] == ["loud"]


def test_only_loggers_of_authctl_are_configured(stream: io.StringIO) -> None:
    before = list(logging.getLogger().handlers)
    logging.getLogger("somebody.else").warning("not ours")
    assert stream.getvalue() == ""
    assert logging.getLogger().handlers == before


def test_configuring_again_replaces_the_former_target(stream: io.StringIO) -> None:
    other = io.StringIO()
    foreign = logging.NullHandler()
    logging.getLogger("authctl").addHandler(foreign)
    configure_logs("info", stream=other)
    log.info("once")
    assert stream.getvalue() == ""
    assert len(documents(other)) == 1
    assert foreign in logging.getLogger("authctl").handlers


def test_request_is_named_on_every_line_that_comes_of_it(stream: io.StringIO) -> None:
    token = request_id.set("0193-abc")
    log.info("inside")
    request_id.reset(token)
    log.info("outside")
    inside, outside = documents(stream)
    assert inside["request_id"] == "0193-abc"
    assert "request_id" not in outside


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\t", "\x1b", "\x00", "\x7f", "\x85", "\x9b", "\u2028", "\u202e", "\u200b", "\ud800"]
)
def test_line_stays_one_line_when_a_value_holds_control_characters(character: str) -> None:
    """R-LG-04, for the operational log."""
    stream = Terminal()
    configure_logs("info", stream=stream)
    log.info("user agent %s", f"a{character}b", extra={"path": f"x{character}y"})
    text = stream.getvalue()
    assert character not in text.removesuffix("\n")
    assert "user agent a\\" in text
    assert len(text.splitlines()) == 1


def test_letters_of_any_language_stay_readable(stream: io.StringIO) -> None:
    log.info("Grüße, 李小龍 🦊")
    assert "Grüße, 李小龍 🦊" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl refused", "c2lnbmF0dXJl"),
        ("header Authorization: Bearer abc.def-123", "abc.def"),
        ("BEARER opaque", "opaque"),
        ("cannot reach postgresql+psycopg://user:pa55word@db/x", "pa55word"),
        ("cannot reach postgresql://db/x?password=pa55word&a=b", "pa55word"),
        ("key -----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY----- end", "MC4CAQ"),
        ("key -----BEGIN EC PRIVATE KEY-----\nMC4CAQ", "MC4CAQ"),
        ("mail for jane.doe@example.com refused", "jane.doe"),
    ],
)
def test_value_is_redacted_when_it_looks_like_a_secret_or_a_person(stream: io.StringIO, text: str, hidden: str) -> None:
    """R-LG-05."""
    log.info("%s", text)
    log.info("x", extra={"context": {"nested": text}})
    assert hidden not in stream.getvalue()
    assert stream.getvalue().count("[redacted]") == 2


def test_known_secrets_are_redacted_in_every_form() -> None:
    """R-LG-05: also in hex and base64."""
    secret = secrets.token_urlsafe(32)
    raw = secret.encode()
    stream = io.StringIO()
    configure_logs("info", stream=stream, known_secrets=[secret, "", "short"])
    for form in (secret, raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode()):
        log.info("a %s b short", form)
    messages = [line["message"].replace("=", "") for line in documents(stream)]
    assert messages == ["a [redacted] b short"] * 4


@pytest.mark.parametrize("as_json", [True, False])
def test_traceback_is_cleaned_when_an_exception_is_logged(as_json: bool) -> None:
    stream = io.StringIO()
    secret = secrets.token_urlsafe(32)
    configure_logs("info", stream=stream, known_secrets=[secret], as_json=as_json)
    try:
        raise ValueError(f"bad \x1b[31m key {secret}")
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert "Traceback" in text
    assert "ValueError: bad" in text
    assert secret not in text.replace("\\n", "\n")
    assert "\x1b" not in text
    if as_json:
        assert documents(stream)[0]["exc_info"].startswith("Traceback")


def test_nothing_is_added_when_there_was_no_exception(stream: io.StringIO) -> None:
    log.error("failed", exc_info=True)
    assert sys.exc_info()[0] is None
    assert "Traceback" not in stream.getvalue()


def test_message_is_cut_when_it_is_huge(stream: io.StringIO) -> None:
    log.info("%s", "x" * 100_000)
    assert len(documents(stream)[0]["message"]) == LONGEST_MESSAGE


def test_other_handlers_see_the_record_as_it_was(stream: io.StringIO) -> None:
    seen: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    logging.getLogger("authctl").addHandler(Keeper())
    log.info("Bearer %s", "opaque")
    assert seen == ["Bearer opaque"]
    assert "opaque" not in stream.getvalue()
