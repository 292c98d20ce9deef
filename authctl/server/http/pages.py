"""The pages for people: files that come with the package, each served with the fields that bind a browser.

A page is a few rows of a table. `PAGE_FIELDS` are the strictest; a row of a page that needs more gives its own.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from authctl.server.http.answers import TEXT, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.server.http.answers import Fields
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request
    from authctl.server.http.routes import Endpoint

HTML: Final = b"text/html; charset=utf-8"
CSS: Final = b"text/css; charset=utf-8"
SCRIPT: Final = b"text/javascript; charset=utf-8"
SVG: Final = b"image/svg+xml; charset=utf-8"

# R-WEB-01. Trusted types stand on top: what a script inserts can only be text.
_DIRECTIVES: Final = (
    b"default-src 'none'",
    b"script-src 'self'",
    b"style-src 'self'",
    b"connect-src 'self'",
    b"base-uri 'none'",
    b"form-action 'none'",
    b"frame-ancestors 'none'",
)
_TRUSTED_TYPES: Final = (b"require-trusted-types-for 'script'", b"trusted-types 'none'")
POLICY: Final = b"; ".join((*_DIRECTIVES, b"img-src 'self'", *_TRUSTED_TYPES))
# The style of Swagger UI holds its icons in data: addresses, and the script writes markup that it made from the
# description, which is ours. Everything else is as strict: it sets styles through the object model, which is allowed.
DOCS_POLICY: Final = b"; ".join((*_DIRECTIVES, b"img-src 'self' data:"))
_USUAL_FIELDS: Final[Fields] = (
    (b"permissions-policy", b"publickey-credentials-get=(self), publickey-credentials-create=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # Kept by the browser and asked for each time: a new version of the service never meets an old script.
    (b"cache-control", b"no-cache"),
)
PAGE_FIELDS: Final[Fields] = ((b"content-security-policy", POLICY), *_USUAL_FIELDS)
DOCS_FIELDS: Final[Fields] = ((b"content-security-policy", DOCS_POLICY), *_USUAL_FIELDS)


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file: where it is served, where it lies below `authctl/server/pages`, and with which fields it goes out."""

    path: str
    resource: str
    content_type: bytes
    fields: Fields = PAGE_FIELDS


PAGE_FILES: Final[tuple[PageFile, ...]] = (
    PageFile("/", "index.html", HTML),
    PageFile("/pages/app.js", "app.js", SCRIPT),
    PageFile("/pages/style.css", "style.css", CSS),
    PageFile("/pages/icon.svg", "icon.svg", SVG),
    PageFile("/docs", "docs/index.html", HTML, DOCS_FIELDS),
    PageFile("/docs/page.js", "docs/page.js", SCRIPT),
    PageFile("/docs/page.css", "docs/page.css", CSS),
    PageFile("/docs/swagger-ui-bundle.js", "swagger-ui/swagger-ui-bundle.js", SCRIPT),
    PageFile("/docs/swagger-ui.css", "swagger-ui/swagger-ui.css", CSS),
)

PAGE_REDIRECTS: Final[Mapping[str, bytes]] = {"/docs/": b"../docs"}
"""Addresses that people type, and where they lead. The page cannot stand there: its own addresses are relative."""


def page_endpoints() -> dict[str, Endpoint]:
    """Everything that the pages answer to GET, by its path."""
    files_served: dict[str, Endpoint] = {file.path: ServedFile(file).answer for file in PAGE_FILES}
    return files_served | {path: _redirect_to(location) for path, location in PAGE_REDIRECTS.items()}


def _redirect_to(location: bytes) -> Endpoint:
    there = Answer(307, b"See " + location + b"\n", TEXT, ((b"location", location),))

    async def redirect(request: Request, edge: Edge) -> Answer:
        return there

    return redirect


class ServedFile:
    """A file as an endpoint: whole, or 304 to a browser that has it.

    It is read when somebody asks for it first: most processes are never asked for the two megabytes of the API page.
    """

    def __init__(self, file: PageFile) -> None:
        self.path = file.path
        self._file = file

    async def answer(self, request: Request, edge: Edge) -> Answer:
        """The file, unless one of the versions that the browser has is this one (RFC 9110 section 13.1.2)."""
        tags = {
            tag.strip(b" \t").removeprefix(b"W/")
            for line in request.lines(b"if-none-match")
            for tag in line.split(b",")
        }
        tag, whole, unchanged = self._answers
        return unchanged if tag in tags else whole

    @cached_property
    def _answers(self) -> tuple[bytes, Answer, Answer]:
        body = files("authctl.server").joinpath("pages", self._file.resource).read_bytes()
        # Enough of the digest to tell versions apart; it guards nothing.
        tag = b'"' + urlsafe_b64encode(sha256(body).digest()[:18]) + b'"'
        fields = (*self._file.fields, (b"etag", tag))
        return tag, Answer(200, body, self._file.content_type, fields), Answer(304, fields=fields)
