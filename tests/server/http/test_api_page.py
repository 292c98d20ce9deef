"""R-WEB-01, R-WEB-06: the API page comes with the package whole and unchanged, and asks nobody elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.http.answers import LARGEST_PIECE, Answer, send_answer
from authctl.server.http.openapi import SCHEME
from authctl.server.http.pages import PAGE_FILES, PageFile, ServedFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.http.conftest import Api

PAGES = files("authctl.server").joinpath("pages")
VENDORED = PAGES.joinpath("swagger-ui")
DOCS = [file for file in PAGE_FILES if file.path.startswith("/docs")]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; img-src 'self' data:"
)
ELSEWHERE = re.compile(r"(?:https?:)?//[a-z]")


def record() -> dict[str, Any]:
    return tomllib.loads(VENDORED.joinpath("vendored.toml").read_text(encoding="utf-8"))


def test_swagger_ui_is_what_its_makers_published() -> None:
    """Whoever changes a file, or the version, says so in the record."""
    digests = record()["sha256"]
    lie_there = {file.name for file in VENDORED.iterdir()} - {"vendored.toml"}
    assert lie_there == set(digests)
    for name, digest in digests.items():
        assert hashlib.sha256(VENDORED.joinpath(name).read_bytes()).hexdigest() == digest, name


def test_version_and_licence_are_noted_beside_the_files() -> None:
    assert record()["version"] == "5.35.0"
    assert record()["licence"] == "Apache-2.0"
    assert "Apache License" in VENDORED.joinpath("LICENSE").read_text(encoding="utf-8")
    assert "SmartBear" in VENDORED.joinpath("NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", DOCS, ids=lambda file: file.path)
def test_each_file_is_served_as_it_lies_there(shared_api: Api, file: PageFile) -> None:
    answer = shared_api.get(file.path)
    assert answer.status_code == 200
    assert answer.content == PAGES.joinpath(file.resource).read_bytes()
    assert answer.headers["content-type"] == file.content_type.decode()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get_list("cache-control") == ["no-cache"]


def test_the_page_may_do_what_it_needs_and_no_more(shared_api: Api) -> None:
    """No inline script or style, nothing from elsewhere, never framed; images in data: are the icons of the style."""
    assert shared_api.get("/docs").headers.get_list("content-security-policy") == [POLICY]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_address_with_a_slash_leads_to_the_page(shared_api: Api, method: str) -> None:
    """By an address that no header has a say in, and that is right below a path of a proxy's too."""
    answer = shared_api.call(method, "/docs/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "../docs")
    assert answer.url.join(answer.headers["location"]).path == "/docs"


def test_the_address_with_a_slash_leads_nowhere_without_pages(make_api: Callable[..., Api]) -> None:
    """R-WEB-06."""
    assert make_api(pages=False).get("/docs/").status_code == 404


def colours(path: str, block: str) -> dict[str, str]:
    """The custom properties of the first block of a style that begins like that."""
    style = PAGES.joinpath(path).read_text(encoding="utf-8")
    return dict(re.findall(r"--([\w-]+): ([^;]+);", style[style.index(block) :].split("}")[0]))


@pytest.mark.parametrize(
    ("theirs", "ours"), [(":root {", ":root {"), ("@media (prefers-color-scheme", "html.dark-mode")]
)
def test_the_colours_are_those_of_the_demo_page(theirs: str, ours: str) -> None:
    demo, here = colours("style.css", theirs), colours("docs/page.css", ours)
    both = demo.keys() & here.keys()
    assert {"ground", "card", "line", "edge", "text", "muted", "accent", "on-accent", "tint", "bad"} <= both
    assert {name: here[name] for name in both} == {name: demo[name] for name in both}


def test_our_own_files_name_nothing_elsewhere() -> None:
    for file in DOCS:
        if file.resource.startswith("docs/"):
            assert ELSEWHERE.search(PAGES.joinpath(file.resource).read_text(encoding="utf-8")) is None, file.resource


def test_the_page_loads_only_files_of_the_table() -> None:
    html = PAGES.joinpath("docs/index.html").read_text(encoding="utf-8")
    loaded = {f"/{path}" for path in re.findall(r'(?:src|href)="((?:docs|pages)/[^"]+)"', html)}
    assert {file.path for file in DOCS} - {"/docs"} <= loaded
    assert loaded <= {file.path for file in PAGE_FILES}
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", html) == []


def test_the_page_signs_in_by_the_scheme_of_the_description() -> None:
    script = PAGES.joinpath("docs/page.js").read_text(encoding="utf-8")
    assert f'SCHEME = "{SCHEME}"' in script
    assert '"webauthn_jwt"' in script


def test_a_file_is_read_when_it_is_asked_for_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages").mkdir()
    monkeypatch.setattr("authctl.server.http.pages.files", lambda package: tmp_path)
    served = ServedFile(PageFile("/x.css", "x.css", b"text/css"))
    (tmp_path / "pages" / "x.css").write_bytes(b"one")
    request: Any = type("Request", (), {"lines": lambda self, name: []})()
    edge: Any = None
    assert asyncio.run(served.answer(request, edge)).body == b"one"
    (tmp_path / "pages" / "x.css").write_bytes(b"two")
    assert asyncio.run(served.answer(request, edge)).body == b"one"


@pytest.mark.parametrize("size", [0, 1, LARGEST_PIECE, LARGEST_PIECE + 1, 3 * LARGEST_PIECE])
def test_a_large_body_goes_out_in_pieces(size: int) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    body = bytes(index % 251 for index in range(size))
    asyncio.run(send_answer(Answer(200, body), {"method": "GET"}, send))
    head, *pieces = sent
    assert (b"content-length", b"%d" % size) in head["headers"]
    assert b"".join(piece["body"] for piece in pieces) == body
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert len(pieces) == max(1, -(-size // LARGEST_PIECE))
