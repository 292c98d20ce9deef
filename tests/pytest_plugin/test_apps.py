"""Applications of other people: found by name, told apart, and WSGI ones carried over."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from authctl.errors import UsageError
from authctl.testing.apps import as_asgi, interface_of, load_app
from authctl.testing.attacks import play
from authctl.testing.under_test import recipe_for, relying_party, root_certificate
from authctl.testing.wsgi import WsgiAsAsgi
from authctl.virtual_authenticator.errors import CannotTest, RecipeInvalid
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.attack.targets import OneServer
from authctl.virtual_authenticator.harness.attack.verdicts import Mark
from authctl.virtual_authenticator.harness.recipe.builtin import builtin, text_of
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from tests.pytest_plugin.careless_app import Careless

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A WSGI application that says what it was sent, in both ways that WSGI knows."""
    body = environ["wsgi.input"].read()
    told = [environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], environ.get("HTTP_X_TWICE", "")]
    write = start_response(
        "201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    )
    write("|".join(told).encode("latin-1"))
    return [b"|", environ["CONTENT_TYPE"].encode(), b"|", environ["CONTENT_LENGTH"].encode(), b"|", body]


def failing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise StopIteration("of all exceptions the one that no future can carry")


class Closing:
    """A WSGI answer that wants to be closed."""

    closed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Any:
        yield b"one"
        yield b"two"

    def close(self) -> None:
        self.closed = True


def fetch(app: Any, method: str = "GET", path: str = "/", **arguments: Any) -> httpx2.Response:
    async def send() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://shop.example") as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(send())


def test_a_wsgi_application_is_given_the_request_and_its_answer_comes_back() -> None:
    headers = [("X-Twice", "1"), ("X-Twice", "2"), ("Content-Type", "text/x")]
    answer = fetch(WsgiAsAsgi(echo), "POST", "/caf%C3%A9?a=b", content=b"body", headers=headers)
    assert answer.status_code == 201
    assert answer.content == "POST|/café|a=b|1,2|text/x|4|body".encode()
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_wsgi_answer_is_closed_when_it_was_read() -> None:
    app = Closing()
    assert fetch(WsgiAsAsgi(app)).text == "onetwo"
    assert app.closed


def test_a_wsgi_application_answers_500_and_the_log_says_why_when_it_raises(caplog: pytest.LogCaptureFixture) -> None:
    assert fetch(WsgiAsAsgi(failing)).status_code == 500
    assert "The application failed" in caplog.text


def test_a_wsgi_application_has_no_lifespan() -> None:
    with pytest.raises(ValueError, match="lifespan"):
        asyncio.run(WsgiAsAsgi(echo)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


def test_an_application_is_told_by_its_arguments() -> None:
    assert interface_of(echo) == interface_of(Closing()) == "wsgi"
    assert interface_of(Careless()) == "asgi"
    assert interface_of(partial(echo)) == "wsgi"


@pytest.mark.parametrize(
    ("app", "told"), [("text", "cannot be called"), (lambda: None, "takes 0 arguments"), (int, "int")]
)
def test_an_application_is_refused_when_it_cannot_be_told(app: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        interface_of(app)


def test_the_interface_can_be_said_and_not_misspelt() -> None:
    assert isinstance(as_asgi(lambda *_: None, "wsgi"), WsgiAsAsgi)
    with pytest.raises(UsageError, match="neither asgi nor wsgi"):
        as_asgi(echo, "wsig")


def test_an_application_is_found_by_name_or_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_shop.py").write_text("class Web:\n    app = 'the app'\n\ndef create(): return 'made'\n")
    monkeypatch.setattr("sys.path", [])
    monkeypatch.chdir(tmp_path)
    assert load_app("a_shop:Web.app") == "the app"
    assert load_app("a_shop:create()", tmp_path) == "made"


@pytest.mark.parametrize("name", ["shop", ":app", "os:", "os:pa th", "os:no_such", "no_such_module:app"])
def test_an_application_is_refused_in_a_sentence_when_it_is_not_there(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_app(name)
    assert caught.value.hint


def test_a_recipe_is_a_name_a_file_a_dictionary_or_a_recipe(tmp_path: Path) -> None:
    import tomllib

    file = tmp_path / "recipe"
    file.write_text(text_of("fido"))
    expected = builtin("fido")
    assert recipe_for(expected) is expected
    for given in ("fido", file, tomllib.loads(text_of("fido"))):
        assert recipe_for(given).register == expected.register


def test_a_dictionary_is_refused_with_all_that_is_wrong_when_it_is_no_recipe() -> None:
    with pytest.raises(RecipeInvalid) as caught:
        recipe_for({"version": 1, "regsiter": {}})
    assert len(caught.value.problems) == 3


def test_a_capability_is_refused_when_nobody_knows_it() -> None:
    with pytest.raises(UsageError, match="no capability moon"):
        relying_party(Careless(), "fido", can=["moon"])
    with pytest.raises(UsageError, match="no capability expire"):
        relying_party(Careless(), "fido", abilities={"expire": lambda *_: None})


def test_a_capability_is_refused_when_it_takes_more_than_its_name() -> None:
    for name in ("expiry", "trusted-root", "related-origin"):
        with pytest.raises(UsageError, match=f"{name} takes"):
            relying_party(Careless(), "fido", can=[name])


def test_a_server_trusts_the_root_whose_seed_is_named() -> None:
    with relying_party(Careless(), "fido", trusted_root="my tests") as server:
        lab = server.lab(Needs())
        assert lab.can("trusted-root")
        assert lab.authority.root_pem() == root_certificate("my tests")


def test_a_server_is_asked_once_what_it_is_like() -> None:
    with relying_party(Careless(), "fido", can=["usernameless"], abilities={"expiry": lambda *_: None}) as server:
        assert server.survey() is server.survey()
        lab = server.lab(Needs())
        assert lab.can("usernameless")
        assert lab.can("expiry")
        assert server.visit().account.email
    assert (server.name, server.origin, server.url) == ("fido", "http://localhost:8080", "http://localhost:8080")


def test_a_server_is_not_asked_again_when_it_took_no_faultless_ceremony() -> None:
    server = relying_party(Careless("closed"), "fido")
    with pytest.raises(CannotTest) as first:
        server.survey()
    with pytest.raises(CannotTest) as second:
        server.survey()
    server.close()
    assert first.value is second.value


def test_any_other_relying_party_can_be_attacked() -> None:
    case = next(case for case in cases() if case.id == "cd.type-missing")
    with DescribedServer(builtin("fido"), app=Careless()) as server:
        assert play(case, server).mark is Mark.WRONGLY_ACCEPTED
        assert play(case, OneServer(Lab(server))).mark is Mark.WRONGLY_ACCEPTED
