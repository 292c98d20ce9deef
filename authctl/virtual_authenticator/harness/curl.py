"""Writes requests as commands for a shell: every word quoted, secrets in variables that are marked as such."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.virtual_authenticator.harness.transcript import Exchange
    from authctl.virtual_authenticator.harness.transport import Request

_LONGEST_ANSWER: Final = 600
_BEARER: Final = "Bearer "
_SENT: Final = (
    "# What was sent, and what came back. Everything can be sent again but what completes: a challenge is taken once.",
    "# --unsent leaves completing to you.",
)
_UNSENT: Final = (
    "# Begun and signed, and not completed: that is for you to send. The challenge is good once, and not for long.",
)
_READER: Final = """
import json, sys
answer = sys.stdin.read()
try:
    print(json.loads(answer)PATH)
except (ValueError, LookupError, TypeError):
    sys.exit(answer)
"""
_SECRET: Final = "(secret)"  # noqa: S105  # stands for one


@dataclass(frozen=True, slots=True)
class Ending:
    """What follows a login that was not completed.

    token    the path to the token in its answer; empty when there is none
    profile  what may be asked with the token
    """

    token: tuple[str, ...] = ()
    profile: Request | None = None


def script(exchanges: Sequence[Exchange], base_url: str, ending: Ending | None = None) -> list[str]:
    """The lines of a script: comments and commands. With `ending` the last request was held and is still to be sent."""
    has_cookies = any(exchange.answer is not None and exchange.answer.cookies for exchange in exchanges)
    has_cookies |= any(_header(exchange.request, "cookie") for exchange in exchanges)
    token = next(filter(None, (_bearer(exchange.request) for exchange in exchanges)), "")
    lines = list(_SENT if ending is None else _UNSENT)
    if has_cookies:
        lines += ["jar=$(mktemp)  # secret: the cookies of this browser"]
    sent = exchanges if ending is None else exchanges[:-1]
    for exchange in sent:
        if token and _bearer(exchange.request):
            lines += ["", f"token={_quoted(token)}  # secret: whoever has it is this person until it expires"]
            token = ""
        if ending is None:
            command = _command(exchange.request, base_url, has_cookies=has_cookies)
            lines += ["", f"# {exchange.step or 'request'}", *command, *_answered(exchange)]
        else:
            lines += ["", *_told(exchange, base_url)]
    if ending is not None:
        lines += _to_send(exchanges[-1].request, base_url, ending, has_cookies=has_cookies)
    return lines


def _to_send(request: Request, base_url: str, ending: Ending, *, has_cookies: bool) -> list[str]:
    lines = [""]
    host = urlsplit(_url(request, base_url)).hostname or ""
    for pair in filter(None, _header(request, "cookie").split("; ")):
        name, _, value = pair.partition("=")
        fields = (host, "FALSE", "/", "FALSE", "0", name, value)
        pattern = "\\t".join(["%s"] * len(fields)) + "\\n"
        lines.append(f'printf {_quoted(pattern)} {" ".join(map(_quoted, fields))} >> "$jar"')
    lines.append("# complete")
    command = _command(request, base_url, has_cookies=has_cookies)
    if not ending.token:
        return [*lines, *command]
    command[0] = f"token=$({command[0]}"
    path = "".join(f"[{word if word.isdecimal() else json.dumps(word)}]" for word in ending.token)
    reader = f" | python3 -c {shlex.quote(_READER.replace('PATH', path))})  # secret"
    command[-1:] = (command[-1] + reader).splitlines()
    lines += [*command, "test -n \"$token\" && echo 'The token is in $token'"]
    if ending.profile is not None:
        lines += ["", "# read profile", *_command(ending.profile, base_url, has_cookies=has_cookies)]
    return lines


def _told(exchange: Exchange, base_url: str) -> list[str]:
    """What was sent already, as a remark."""
    request = exchange.request
    return [f"# {exchange.step or 'request'}: {request.method} {_url(request, base_url)}", *_answered(exchange)]


def _answered(exchange: Exchange) -> list[str]:
    answer = exchange.answer
    if answer is None:
        return ["# no answer"]
    kind = answer.headers.get("content-type", "")
    shown = _shown(answer.body)
    cut = shown if len(shown) <= _LONGEST_ANSWER else shown[:_LONGEST_ANSWER] + "…"
    return [f"# {answer.status} {kind}".rstrip(), *([f"# {cut}"] if cut else [])]


def _shown(body: bytes) -> str:
    try:
        return json.dumps(_without_tokens(json.loads(body)), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return " ".join(body.decode("utf-8", errors="replace").split())


def _without_tokens(value: Any) -> Any:
    """A JSON value without what stands in a variable already, or is as secret."""
    if isinstance(value, list):
        return [_without_tokens(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _SECRET if "token" in name.lower() and name != "token_type" and member else _without_tokens(member)
        for name, member in value.items()
    }


def _command(request: Request, base_url: str, *, has_cookies: bool) -> list[str]:
    words = [f"curl -sS -w '\\n' -X {request.method} {_quoted(_url(request, base_url))}"]
    headers = {"Accept": "application/json", **request.headers}
    content = request.content
    if content is None and request.json is not None:
        content = json.dumps(request.json, separators=(",", ":")).encode()
        headers.setdefault("Content-Type", "application/json")
    for name, value in headers.items():
        if name.lower() == "cookie":
            continue
        is_bearer = name.lower() == "authorization" and value.startswith(_BEARER)
        words.append(f'-H "{name}: {_BEARER}$token"' if is_bearer else f"-H {_quoted(f'{name}: {value}')}")
    if has_cookies:
        words.append('-b "$jar" -c "$jar"')
    if content is not None:
        words.append(f"--data-raw {_quoted(content)}")
    first, *rest = words
    return [f"{first} \\", *(f"  {word} \\" for word in rest[:-1]), f"  {rest[-1]}"]


def _url(request: Request, base_url: str) -> str:
    return request.path if "://" in request.path else base_url + request.path


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name), "")


def _bearer(request: Request) -> str:
    value = _header(request, "authorization")
    return value.removeprefix(_BEARER) if value.startswith(_BEARER) else ""


def _quoted(value: str | bytes) -> str:
    """A word that a shell takes as it stands; what a terminal would not show as it is becomes an escape."""
    content = value.encode("utf-8", errors="surrogateescape") if isinstance(value, str) else value
    if content.isascii() and (text := content.decode()).isprintable():
        return shlex.quote(text)
    # The form $'…' of bash, zsh and POSIX 2024.
    shown = (chr(byte) if 32 <= byte < 127 and chr(byte) not in "\\'" else f"\\{byte:03o}" for byte in content)
    return f"$'{''.join(shown)}'"
