"""The HTTP application: routes and middleware around one Service, and the work that goes on in the background."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import orjson
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router

from authctl.server.http.background import Background
from authctl.server.http.ceremony_gate import Gate
from authctl.server.http.client_address import ClientAddresses
from authctl.server.http.cross_origin import CrossOrigin
from authctl.server.http.edge import Edge
from authctl.server.http.envelope import Envelope
from authctl.server.http.hosts import HostCheck, own_names
from authctl.server.http.limits import Limiter
from authctl.server.http.openapi import describe
from authctl.server.http.pages import page_endpoints
from authctl.server.http.path_endpoint import PathEndpoint, no_route
from authctl.server.http.refusals import Refusals
from authctl.server.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.types import ASGIApp

    from authctl.server.http.routes import Endpoint
    from authctl.server.service import Service


def create_app(service: Service) -> ASGIApp:
    """The application of a service, as any ASGI server runs it. It does not close the service."""
    settings = service.settings
    refusals = Refusals(service.database, service.audit)
    limiter = Limiter(service.database, service.keys.decoy, is_on=settings.rate_limits)
    edge = Edge(service, Gate(settings, limiter, refusals), orjson.dumps(describe()))

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Background(service, refusals):
            yield

    paths = _paths(edge, page_endpoints() if settings.has_pages else {})
    app: ASGIApp = Router(paths, redirect_slashes=False, default=no_route, lifespan=lifespan)
    app = CrossOrigin(app, settings.cors_origins, settings.origins)
    app = HostCheck(app, own_names(settings.origins, settings.host))
    return Envelope(app, ClientAddresses(settings.trusted_proxies), settings.origins)


def _paths(edge: Edge, pages: Mapping[str, Endpoint]) -> list[StarletteRoute]:
    # A path is one endpoint for all its methods, so that 405 can name them. The order of the table stays: the router
    # tries one path after the other, and /users/me has to stand before /users/{id}. A page takes the place of a route.
    endpoints = {
        path: {route.method: route.endpoint for route in routes}
        for path, routes in groupby(ROUTES, key=lambda route: route.path)
    }
    endpoints |= {path: {"GET": endpoint} for path, endpoint in pages.items()}
    return [StarletteRoute(path, PathEndpoint(methods, edge)) for path, methods in endpoints.items()]
