"""The pages for people: files that come with the package, read once, each served with the fields that bind a browser.

A page is a few rows of a table. `PAGE_FIELDS` are the strictest; a row of a page that needs more gives its own.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from authctl.server.http.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.http.answers import Fields
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request

HTML: Final = b"text/html; charset=utf-8"
CSS: Final = b"text/css; charset=utf-8"
SCRIPT: Final = b"text/javascript; charset=utf-8"
SVG: Final = b"image/svg+xml; charset=utf-8"

# R-WEB-01. Trusted types stand on top: what a script inserts can only be text.
POLICY: Final = b"; ".join(
    (
        b"default-src 'none'",
        b"script-src 'self'",
        b"style-src 'self'",
        b"img-src 'self'",
        b"connect-src 'self'",
        b"base-uri 'none'",
        b"form-action 'none'",
        b"frame-ancestors 'none'",
        b"require-trusted-types-for 'script'",
        b"trusted-types 'none'",
    )
)
PAGE_FIELDS: Final[Fields] = (
    (b"content-security-policy", POLICY),
    (b"permissions-policy", b"publickey-credentials-get=(self), publickey-credentials-create=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # Kept by the browser and asked for each time: a new version of the service never meets an old script.
    (b"cache-control", b"no-cache"),
)


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
)


class LoadedFile:
    """A file in memory, as an endpoint: whole, or 304 to a browser that has it."""

    def __init__(self, file: PageFile, body: bytes) -> None:
        self.path = file.path
        # Enough of the digest to tell versions apart; it guards nothing.
        self._tag = b'"' + urlsafe_b64encode(sha256(body).digest()[:18]) + b'"'
        fields = (*file.fields, (b"etag", self._tag))
        self._whole = Answer(200, body, file.content_type, fields)
        self._unchanged = Answer(304, fields=fields)

    async def answer(self, request: Request, edge: Edge) -> Answer:
        """The file, unless one of the versions that the browser has is this one (RFC 9110 section 13.1.2)."""
        tags = {
            tag.strip(b" \t").removeprefix(b"W/")
            for line in request.lines(b"if-none-match")
            for tag in line.split(b",")
        }
        return self._unchanged if self._tag in tags else self._whole


def load(table: Sequence[PageFile]) -> list[LoadedFile]:
    """Reads the files of a table."""
    folder = files("authctl.server").joinpath("pages")
    return [LoadedFile(file, folder.joinpath(file.resource).read_bytes()) for file in table]
