"""R-WEB-01, R-WEB-04, R-WEB-06: the demo page, what it goes out with, and what its files hold."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from authctl.server.http.pages import PAGE_FILES
from authctl.server.http.problems import STATUS_OF
from tests.builders import shared_keys
from tests.server.http.conftest import Api, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.http.pages import PageFile

FOLDER = files("authctl.server").joinpath("pages")
DEMO = tuple(file for file in PAGE_FILES if "/" not in file.resource)
TEXT = {file.resource: FOLDER.joinpath(file.resource).read_text(encoding="utf-8") for file in DEMO}
LARGEST = 60_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
)
IDS = [
    *("message", "login-form", "login-email", "login-submit", "login-passkey", "show-register"),
    *(
        "register-form",
        "first_name",
        "last_name",
        "email",
        "date_of_birth",
        "job_title",
        "register-submit",
        "show-login",
    ),
    *("profile", "claims", "expiry", "passkeys", "add-passkey", "confirm", "confirm-yes", "confirm-no", "logout"),
]
FIELDS = ["first_name", "last_name", "email", "job_title", "date_of_birth", "role", "created_at"]
MORE_THAN_TEXT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|eval\(|new Function|localStorage|cookie"
)
SENTENCE = re.compile(r'^  "([a-z-]+)": "(.+)",$', re.MULTILINE)
NAMESPACE = "http://www.w3.org/2000/svg"


class Elements(HTMLParser):
    """Every start tag of a document with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def values(self, *names: str) -> list[str]:
        """What these attributes are, wherever they stand."""
        return [attributes[name] for _, attributes in self.found for name in names if name in attributes]


@pytest.fixture(scope="module")
def page() -> Elements:
    return Elements(TEXT["index.html"])


@pytest.fixture(scope="module")
def sentences() -> dict[str, str]:
    return dict(SENTENCE.findall(TEXT["app.js"]))


@pytest.mark.parametrize("file", DEMO, ids=lambda file: file.resource)
def test_each_file_goes_out_with_the_fields_that_bind_a_browser(shared_api: Api, file: PageFile) -> None:
    """R-WEB-01, R-WEB-02."""
    answer = shared_api.get(file.path)
    assert answer.status_code == 200
    assert answer.text == TEXT[file.resource]
    assert answer.headers["content-type"] == file.content_type.decode()
    assert answer.headers.get_list("content-security-policy") == [POLICY]
    assert answer.headers.get_list("cache-control") == ["no-cache"]
    assert answer.headers["permissions-policy"] == (
        "publickey-credentials-get=(self), publickey-credentials-create=(self)"
    )
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(answer.headers["x-request-id"]) == 32


def test_a_content_type_names_its_charset() -> None:
    assert {file.content_type.partition(b"; ")[2] for file in PAGE_FILES} == {b"charset=utf-8"}


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_a_browser_that_has_the_file_is_told_so(shared_api: Api, form: str) -> None:
    tag = shared_api.get("/pages/app.js").headers["etag"]
    answer = shared_api.get("/pages/app.js", headers={"if-none-match": form.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert answer.headers["content-security-policy"] == POLICY


def test_a_browser_that_has_another_version_gets_the_file(shared_api: Api) -> None:
    tag = shared_api.get("/pages/style.css").headers["etag"]
    answer = shared_api.get("/pages/app.js", headers={"if-none-match": tag})
    assert (answer.status_code, answer.text) == (200, TEXT["app.js"])


def test_head_is_the_page_without_its_body(shared_api: Api) -> None:
    head, get = shared_api.call("HEAD", "/"), shared_api.get("/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["etag"] == get.headers["etag"]


def test_a_page_takes_no_other_method(shared_api: Api) -> None:
    answer = shared_api.post("/pages/app.js", {})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def production(**changes: object) -> dict[str, object]:
    """Settings that a production service starts with."""
    return {
        "environment": "production",
        "rp_id": "login.example.com",
        "origins": "https://login.example.com",
        "behind_tls_proxy": True,
        "rate_limits": True,
        **shared_keys(),
        **changes,
    }


@pytest.mark.parametrize("settings", [{"pages": False}, production()], ids=["switched off", "in production"])
def test_without_pages_the_root_is_a_pointer(make_api: Callable[..., Api], settings: dict[str, object]) -> None:
    """R-WEB-06."""
    api = make_api(**settings)
    assert api.get("/").json()["description"] == "/openapi.json"
    for file in PAGE_FILES[1:]:
        assert problem_of(api.get(file.path))["title"] == "Not found"


def test_a_production_service_has_pages_when_they_are_asked_for(make_api: Callable[..., Api]) -> None:
    answer = make_api(**production(pages=True)).get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "strict-transport-security" in answer.headers


def test_all_files_of_the_page_are_small() -> None:
    assert sum(len(text.encode()) for text in TEXT.values()) < LARGEST


def test_script_and_style_stand_in_files(page: Elements) -> None:
    """R-WEB-01: nothing inline, which the policy would not run anyway."""
    tags = [tag for tag, _ in page.found]
    assert "style" not in tags
    assert [attributes for tag, attributes in page.found if tag == "script"] == [
        {"type": "module", "src": "/pages/app.js"}
    ]
    names = {name for _, attributes in page.found for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


def test_every_address_is_of_this_service(page: Elements) -> None:
    served = {file.path for file in PAGE_FILES} | {"/openapi.json"}
    assert {address for address in page.values("src", "href", "action") if not address.startswith("#")} <= served
    for text in TEXT.values():
        assert set(re.findall(r"https?://[^\s\"'`<$]+", text)) <= {NAMESPACE}
        assert not re.search(r"url\(|@import|import\(", text)


def test_what_the_script_inserts_is_text() -> None:
    """R-WEB-04."""
    assert MORE_THAN_TEXT.findall(TEXT["app.js"]) == []


@pytest.mark.parametrize("id", IDS)
def test_an_element_that_others_rely_on_is_there(page: Elements, id: str) -> None:  # noqa: A002  # the attribute's name
    assert id in page.values("id")


def test_the_profile_has_a_place_for_each_field(page: Elements) -> None:
    assert sorted(page.values("data-field")) == sorted(FIELDS)


def test_no_id_is_given_twice_and_each_reference_meets_one(page: Elements) -> None:
    ids = Counter(page.values("id"))
    assert max(ids.values()) == 1
    named = " ".join(page.values("for", "aria-labelledby", "aria-describedby")).split()
    named += [address[1:] for address in page.values("href") if address.startswith("#")]
    assert set(named) <= set(ids)
    assert set(re.findall(r'\$\("([\w-]+)"\)', TEXT["app.js"])) <= set(ids)


def test_each_field_has_a_label_and_a_place_for_what_is_wrong_with_it(page: Elements) -> None:
    fields = [attributes["id"] for tag, attributes in page.found if tag == "input"]
    assert sorted(fields) == sorted(page.values("for"))
    assert {f"{field}-problem" for field in fields} <= set(page.values("id"))


def test_a_field_takes_part_in_autofill(page: Elements) -> None:
    (email,) = [attributes for _, attributes in page.found if attributes.get("id") == "login-email"]
    assert email["autocomplete"] == "username webauthn"


def problem_slugs() -> set[str]:
    """The last part of `type` of every problem document that the service can send."""
    names = {500: "internal", 503: "storage-unavailable"}
    return {names.get(status, kind.slug) for kind, status in STATUS_OF.items()}


@pytest.mark.parametrize("slug", sorted(problem_slugs()))
def test_every_problem_has_a_sentence(sentences: dict[str, str], slug: str) -> None:
    assert slug in sentences


def test_every_code_of_the_script_has_a_sentence_and_every_sentence_a_use(sentences: dict[str, str]) -> None:
    code = SENTENCE.sub("", TEXT["app.js"])
    wanted = set(re.findall(r'(?:say|Trouble|enter|leave)\("([a-z-]+)"', code))
    wanted |= set(re.findall(r'SAID\["([a-z-]+)"\]', code)) | set(re.findall(r"SAID\.(\w+)", code))
    assert wanted <= set(sentences)
    assert set(sentences) <= wanted | problem_slugs() | set(re.findall(r'"([a-z-]+)"', code))


def test_a_sentence_is_one_that_a_person_can_act_on(sentences: dict[str, str]) -> None:
    assert len(sentences) > 50
    for text in sentences.values():
        assert text[0].isupper() or text.startswith(("“", "{"))
        assert text.endswith(".")
        assert len(text) <= 120
