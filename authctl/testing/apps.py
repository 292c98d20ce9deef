"""Applications of other people: found by name, told apart, and called as ASGI with their failures written down."""

from __future__ import annotations

import inspect
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.testing.wsgi import WsgiAsAsgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from authctl.virtual_authenticator.harness.lifespan import AsgiApp, Message

logger = logging.getLogger(__name__)

_HINT: Final = "For example shop.web:app, or shop.web:create_app() for a function that makes it"
_ASGI_ARGUMENTS: Final = 3
_WSGI_ARGUMENTS: Final = 2


def load_app(name: str, directory: Path | None = None) -> Any:
    """The application `module:name`, or what `module:name()` makes; UsageError when there is none.

    directory  where modules are looked for first; the current one when None
    """
    module_name, _, attribute = name.partition(":")
    is_made = attribute.endswith("()")
    words = attribute.removesuffix("()").split(".")
    if not module_name or not all(word.isidentifier() for word in words):
        raise UsageError(f"{name!r} names no application", hint=_HINT)
    place = str(directory or Path.cwd())
    if place not in sys.path:
        sys.path.insert(0, place)
    try:
        found: Any = import_module(module_name)
        for word in words:
            found = getattr(found, word)
        return found() if is_made else found
    except (ImportError, AttributeError) as error:
        raise UsageError(f"There is no application {name}: {error}", hint=_HINT) from error


def as_asgi(app: Any, interface: str = "") -> AsgiApp:
    """The application as ASGI; what it raises is logged, so that pytest shows it beside a failure.

    interface  asgi or wsgi; empty to tell by the arguments that the application takes
    """
    match interface or interface_of(app):
        case "asgi":
            return _Logged(app)
        case "wsgi":
            return WsgiAsAsgi(app)
        case other:
            raise UsageError(f"{other!r} is neither asgi nor wsgi")


def interface_of(app: Any) -> str:
    """Whether an application is asgi or wsgi, by the arguments that it takes; UsageError when it cannot be told."""
    if not callable(app):
        raise UsageError(f"{app!r} is no application: it cannot be called", hint=_HINT)
    try:
        parameters = list(inspect.signature(app).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = [one for one in parameters if one.kind in kinds and one.default is one.empty]
    if len(taken) == _ASGI_ARGUMENTS:
        return "asgi"
    if len(taken) == _WSGI_ARGUMENTS:
        return "wsgi"
    raise UsageError(
        f"{app!r} takes {len(taken)} arguments, and neither the three of ASGI nor the two of WSGI",
        hint='interface="asgi" or "wsgi" says which it is; of a function that makes it, give what it makes',
    )


class _Logged:
    """An ASGI application whose exceptions are logged before its client answers 500 for them."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            # Without a lifespan an application raises there, which is its right.
            if scope["type"] != "lifespan":
                logger.exception("The application failed")
            raise
