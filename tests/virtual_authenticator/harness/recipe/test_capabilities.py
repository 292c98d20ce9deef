"""What a recipe says that a server can do (SPEC §11)."""

from __future__ import annotations

import re

import pytest
from cryptography.x509 import load_pem_x509_certificate

from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.errors import RecipeInvalid
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, TAKES_STEPS, TAKES_TEXT
from authctl.virtual_authenticator.harness.attack.targets import lab_of
from authctl.virtual_authenticator.harness.recipe.builtin import NAMES, builtin
from authctl.virtual_authenticator.harness.recipe.check import recipe_of
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from tests.targets.programs import ROOT
from tests.virtual_authenticator.harness.recipe.servers import RECIPE, Scripted

NAMELESS = ("better-auth", "hanko", "keycloak")


def recipe_with(line: str = "", text: str = RECIPE) -> DescribedServer:
    recipe = recipe_of(f"{text}\n[capabilities]\n{line}".encode(), "test")
    return DescribedServer(recipe, app=Scripted())


@pytest.mark.parametrize("name", NAMES)
def test_a_login_is_for_whoever_is_named_unless_its_requests_name_nobody(name: str) -> None:
    assert ("named-login" in builtin(name).capabilities) is (name not in NAMELESS)


@pytest.mark.parametrize("begin", ['url = "/login/{user}"', 'url = "/x", query = { q = "{user}" }'])
def test_a_user_is_named_wherever_the_name_stands(begin: str) -> None:
    text = RECIPE.replace('url = "/login/begin", json = { name = "{user}" }', begin)
    assert text != RECIPE
    assert "named-login" in recipe_with(text=text).capabilities


def test_whether_a_login_names_its_user_can_be_said_when_it_cannot_be_seen() -> None:
    nameless = RECIPE.replace('"/login/begin", json = { name = "{user}" }', '"/login/begin"')
    assert "named-login" not in recipe_with(text=nameless).capabilities
    assert "named-login" in recipe_with("named-login = true", nameless).capabilities
    assert "named-login" not in recipe_with("named-login = false").capabilities


def test_a_server_trusts_the_root_of_the_seed_that_its_recipe_names() -> None:
    lab = lab_of(recipe_with('trusted-root = "my tests"'))
    assert lab.can("trusted-root")
    assert lab.authority.root_pem() == Authority.of_seed("my tests").root_pem()
    assert lab_of(recipe_with(), root_seed="other").authority.root_pem() == Authority.of_seed("other").root_pem()
    assert load_pem_x509_certificate(lab.authority.root_pem()).subject == lab.authority.root.issuer


def test_nothing_is_trusted_when_no_seed_is_named() -> None:
    lab = lab_of(recipe_with(), frozenset({"framing"}), {"expiry": lambda *_: None})
    assert not lab.can("trusted-root")
    assert lab.can("framing")
    assert lab.can("expiry")
    assert lab.authority.root_pem() != lab_of(recipe_with()).authority.root_pem()


def test_an_origin_is_related_when_the_recipe_names_it() -> None:
    lab = lab_of(recipe_with('related-origin = "https://shop.example"'))
    assert lab.can("related-origin")
    assert lab.related == "https://shop.example"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("trusted-root = true", "capabilities.trusted-root: is text: the seed of the root that the server trusts"),
        ('trusted-root = ""', "capabilities.trusted-root: is text"),
        ("related-origin = 5", "capabilities.related-origin: is text: an origin that the server lists as related"),
        ('related-origin = "https://shop.example/page"', "capabilities.related-origin: is text"),
        ('related-origin = "shop.example"', "capabilities.related-origin: is text"),
        ("expiry = true", "capabilities.expiry: takes an array of steps that do it"),
        ("named-login = 'yes'", "capabilities.named-login: is true or false"),
    ],
)
def test_a_capability_that_takes_something_else_is_a_problem(line: str, problem: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        recipe_with(line)
    assert problem in "\n".join(caught.value.problems)


def test_the_page_tells_of_every_capability() -> None:
    page = (ROOT / "docs" / "targets.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", page.split("**Capabilities.**")[1], flags=re.MULTILINE))
    assert set(told) >= {*CAPABILITIES}
    assert {name for name in CAPABILITIES if told[name] == "steps"} == {*TAKES_STEPS}
    assert {name for name in CAPABILITIES if told[name].startswith("text")} == {*TAKES_TEXT}
