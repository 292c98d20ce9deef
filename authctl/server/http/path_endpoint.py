"""One path of the router: picks the endpoint by method, calls it and sends what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.errors import MethodNotAllowed, RouteNotFound
from authctl.server.http.answers import Answer, send_answer
from authctl.server.http.request import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from authctl.server.http.edge import Edge
    from authctl.server.http.routes import Endpoint


class PathEndpoint:
    """An ASGI application for all methods of one path. HEAD is GET without body; OPTIONS names the methods."""

    def __init__(self, endpoints: Mapping[str, Endpoint], edge: Edge) -> None:
        self._edge = edge
        self._endpoints = dict(endpoints)
        if "GET" in self._endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._allowed = (*self._endpoints, "OPTIONS")
        self._options = Answer(204, fields=((b"allow", ", ".join(self._allowed).encode("ascii")),))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises MethodNotAllowed with the methods that are."""
        method: str = scope["method"]
        endpoint = self._endpoints.get(method)
        if endpoint is not None:
            answer = await endpoint(scope[KEY], self._edge)
        elif method == "OPTIONS":
            answer = self._options
        else:
            raise MethodNotAllowed(self._allowed)
        await send_answer(answer, scope, send)


async def no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Raises RouteNotFound: what the router calls for a path that no route has."""
    raise RouteNotFound
