"""The operational log: what an operator reads on stderr. It holds no secret and no personal data beyond addresses.

The audit trail is another thing and knows nothing of this. Only the loggers below `authctl` are configured.
"""

from __future__ import annotations

import base64
import copy
import logging
import re
import sys
import unicodedata
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

request_id: ContextVar[str | None] = ContextVar("authctl_request_id", default=None)
"""Set by the edge for the time of one request; every line of the log that comes of it names it."""

LONGEST_MESSAGE = 8192
_REDACTED = "[redacted]"
_SHORTEST_SECRET = 8
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_=-]*)*"),  # the beginning of every JSON Web Token
    re.compile(r"(?i)(?<=\bbearer )[^\s,;\"']+"),
    re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)"),  # user and password of a URL
    re.compile(r"(?i)(?:(?<=password=)|(?<=secret=)|(?<=token=))[^\s&,;\"']+"),
    re.compile(r"[^\s@<>\"'(),;:\[\]]+@[^\s@<>\"'(),;:\[\]]+\.[^\s@<>\"'(),;:\[\]]+"),  # an e-mail address
)


def configure_logs(
    level: str, *, known_secrets: Iterable[str] = (), stream: TextIO | None = None, as_json: bool | None = None
) -> None:
    """Sends what `authctl` logs, from `level` up, to stderr: for people on a terminal, as JSON lines elsewhere.

    known_secrets  values that must not appear, as they are, in hex or in base64
    stream         stands for stderr
    as_json        decides the form instead of the terminal
    Configuring again replaces what was configured before.
    """
    target = sys.stderr if stream is None else stream
    handler = _CleaningHandler(target, known_secrets)
    is_json = not target.isatty() if as_json is None else as_json
    handler.setFormatter(_JsonFormatter() if is_json else _PlainFormatter())
    logger = logging.getLogger("authctl")
    for former in [known for known in logger.handlers if isinstance(known, _CleaningHandler)]:
        logger.removeHandler(former)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


class _CleaningHandler(logging.StreamHandler["TextIO"]):
    """Cleans a copy of each record before it is formatted, so that no formatter and no other handler is concerned."""

    def __init__(self, stream: TextIO, known_secrets: Iterable[str]) -> None:
        super().__init__(stream)
        forms = {form for secret in known_secrets if len(secret) >= _SHORTEST_SECRET for form in _forms_of(secret)}
        longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
        self._patterns = (*([re.compile("|".join(longest_first))] if forms else []), *_PATTERNS)

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines, of a record."""
        cleaned = copy.copy(record)
        cleaned.msg, cleaned.args = self._clean(record.getMessage()[:LONGEST_MESSAGE]), None
        if record.exc_info and record.exc_info[0] is not None:
            text = logging.Formatter().formatException(record.exc_info)
            cleaned.exc_text = "\n".join(map(_visible, self._redact(text).splitlines()))
            cleaned.exc_info = None
        for name, value in vars(record).items():
            if name not in _STANDARD and value is not None:
                setattr(cleaned, name, value if isinstance(value, bool | int | float) else self._clean(str(value)))
        if (identifier := request_id.get()) is not None:
            cleaned.request_id = identifier
        return super().format(cleaned)

    def _clean(self, text: str) -> str:
        return _visible(self._redact(text))

    def _redact(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(_REDACTED, text)
        return text


class _JsonFormatter(JsonFormatter):
    """One JSON object per line; the members are time, level, logger, message and what the record carries besides."""

    def __init__(self) -> None:
        super().__init__("%(message)s", json_ensure_ascii=False)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Puts the members that every line has in front."""
        log_data.update(time=_time(record), level=record.levelname.lower(), logger=record.name)
        super().add_fields(log_data, record, message_dict)


class _PlainFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  logging's name
        """UTC, as everywhere."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The line, and the request that it belongs to."""
        identifier = getattr(record, "request_id", None)
        return super().formatMessage(record) + (f" [{identifier}]" if identifier else "")


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _visible(text: str) -> str:
    """The text on one line, with everything that a terminal would act on or not show as a visible escape."""
    if text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character) not in _INVISIBLE
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


def _forms_of(secret: str) -> set[str]:
    """A secret, and what it looks like in hex and base64."""
    raw = secret.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {secret, raw.hex(), raw.hex().upper(), *(text.rstrip("=") for text in encoded)}
