"""Everything that may be wrong with a recipe is said, all of it at once (SPEC §11)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.errors import RecipeInvalid
from authctl.virtual_authenticator.harness.recipe.builtin import NAMES, builtin, find, text_of
from authctl.virtual_authenticator.harness.recipe.check import load, recipe_of
from tests.virtual_authenticator.harness.recipe.servers import RECIPE

if TYPE_CHECKING:
    from pathlib import Path


def problems(text: str | bytes) -> str:
    with pytest.raises(RecipeInvalid) as caught:
        recipe_of(text if isinstance(text, bytes) else text.encode(), "test")
    return "\n".join(caught.value.problems)


def changed(old: str, new: str) -> str:
    assert old in RECIPE
    return RECIPE.replace(old, new, 1)


def test_the_recipe_of_these_tests_is_right() -> None:
    recipe = recipe_of(RECIPE.encode(), "test")
    assert (recipe.name, recipe.base_url, recipe.usernameless) == ("test", "http://localhost:8000", None)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_that_comes_with_the_program_is_right(name: str) -> None:
    recipe = builtin(name)
    assert recipe.name == name
    assert recipe.description
    assert recipe.base_url
    assert text_of(name).startswith("# ")


_BEGIN = 'begin = { url = "/register/begin", json = { name = "{user}" } }'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (changed("version = 1", ""), "version: is missing"),
        (changed("version = 1", "version = 2"), "version: 2 is newer than this program, which knows 1: update authctl"),
        (changed("version = 1", "version = true"), "version: has to be a number"),
        (changed("version = 1", 'version = "1"'), "version: has to be a number"),
        (changed("base_url", "base_ulr"), "base_ulr: is no member of a recipe; did you mean 'base_url'?"),
        (changed("base_url", "zzz"), "zzz: is no member of a recipe; there are version, name"),
        (changed('base_url = "http://localhost:8000"', "base_url = 8000"), "base_url: has to be text, not a number"),
        (changed("http://localhost:8000", "localhost"), "base_url: 'localhost' is not the address of a server"),
        (changed("version = 1", "version = 1\nsetup = 5"), "setup: has to be an array, not a number"),
        (changed("version = 1", "version = 1\nsetup = ['x']"), "setup[0]: has to be a table, not text"),
        (changed("version = 1", "version = 1\nsetup = [{ method = 'GET' }]"), "setup[0].url: is missing"),
        (changed(_BEGIN, ""), "register.begin: is missing"),
        (changed("[login]", "[log_in]"), "log_in: is no member of a recipe; did you mean 'login'?"),
        (changed("[login]", "[log_in]"), "login: is missing: a recipe has [register] and [login]"),
        (changed("[register]", "[register]\noption = 1"), "register.option: is no member of a recipe; did you mean"),
        (changed(_BEGIN, 'begin = "/x"'), "register.begin: has to be a table, not text"),
        (changed(_BEGIN, 'begin = { url = "x" }'), "register.begin.url: 'x' is neither a path"),
        (changed(_BEGIN, "begin = { url = 5 }"), "register.begin.url: has to be text, not a number"),
        (changed(_BEGIN, 'begin = { url = "/x", method = "FETCH" }'), "register.begin.method: 'FETCH' is none of GET"),
        (changed(_BEGIN, 'begin = { url = "/x", json = 1, form = {} }'), "json and form cannot both be the body"),
        (changed(_BEGIN, 'begin = { url = "/x", json = 1979-05-27 }'), "register.begin.json: dates and times have no"),
        (changed(_BEGIN, 'begin = { url = "/x", form = 1 }'), "register.begin.form: has to be a table"),
        (changed(_BEGIN, 'begin = { url = "/x", headers = { A = 1 } }'), "register.begin.headers.A: has to be text"),
        (changed(_BEGIN, 'begin = { url = "/x", status = [700] }'), "register.begin.status: 700 is no HTTP status"),
        (changed(_BEGIN, 'begin = { url = "/x", status = "200" }'), "register.begin.status: has to be an array"),
        (changed(_BEGIN, 'begin = { url = "/x", save = { "a-b" = "$" } }'), "register.begin.save.a-b: a name is of"),
        (changed(_BEGIN, 'begin = { url = "/x", save = { a = "re:(" } }'), "save.a: '(' is no regular expression"),
        (changed(_BEGIN, 'begin = { url = "/x", save = { a = "b c" } }'), "save.a: 'b c' is no path such as"),
        (changed(_BEGIN, 'begin = { url = "/x", save = { user = "$" } }'), "save.user: is the name of something that"),
        (changed("[register]", '[register]\noptions = ""'), "register.options: '' is no path such as"),
        (changed("[register]", "[register]\noptions = 1"), "register.options: has to be text, not a number"),
        (changed("[register]", "[register]\nreject = {}"), "register.reject: says nothing; it takes status, json"),
        (changed("[register]", '[register]\nreject = { json = { "$.a" = [] } }'), "is compared with text, a number"),
        (changed("[register]", '[register]\nreject = { json = { "$.a" = "re:[" } }'), "reject.json.$.a: '[' is no"),
        (changed("[register]", '[register]\nreject = { text = "re:[" }'), "register.reject.text: "),
        (changed("[register]", '[register]\nreason = "a b"'), "register.reason: 'a b' is no path"),
        (changed('"{user}"', '"{user"'), "register.begin.json.name: '{user' has a brace without its partner"),
        (changed('"{user}"', '"{user|upper}"'), "there is no filter 'upper'; there are json, unescape"),
        (changed('"{user}"', '"{csrf}"'), "register.begin.json: nothing has saved {csrf} by then; known are"),
        (changed('"{user}"', '["{csrf.token}"]'), "register.begin.json: nothing has saved {csrf} by then"),
        (changed('"{user}"', '"{credential.id}"'), "register.begin.json: {credential.id} is known only in `finish`"),
        (RECIPE + "[capabilities]\nusernamless = true", "capabilities.usernamless: is no member of a recipe; did you"),
        (RECIPE + "[capabilities]\nusernameless = 1", "capabilities.usernameless: is true or false"),
        (RECIPE + "[capabilities]\nusernameless = []", "capabilities.usernameless: is true or false; steps are for"),
        (RECIPE + "[capabilities]\ndelete-user = true", "capabilities.delete-user: takes an array of steps"),
        (RECIPE + '[capabilities]\ndelete-user = "x"', "capabilities.delete-user: is an array of steps"),
        (RECIPE + "[login.usernameless]\nbegn = 1", "login.usernameless.begn: is no member of a recipe; did you mean"),
        ("version = ", "is not TOML"),
        (b"\xff", "is not UTF-8 text"),
        ("a = " + "[" * 100_000, "is nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str | bytes, expected: str) -> None:
    assert expected in problems(text)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems('origni = "x"\n[register]\nbegin = { url = "x", jsn = 1 }\n')
    assert len(found.splitlines()) == 7


def test_what_only_setup_saves_is_not_known_at_a_login() -> None:
    # Somebody with an account comes to the login in a fresh browser.
    text = changed("version = 1", 'version = 1\nsetup = [{ url = "/", save = { csrf = "$.csrf" } }]')
    recipe_of(text.replace('"{user}"', '"{csrf}"', 1).encode(), "test")
    assert "login.begin.json: nothing has saved {csrf}" in problems(text.replace('"{user}"', '"{csrf}"'))


def test_teardown_and_capabilities_know_what_the_ceremonies_saved() -> None:
    login = '[login]\nfinish = { url = "/login/finish", json = "{credential}", save = { token = "$.token" } }'
    text = RECIPE.replace("[login]", login).replace('finish = { url = "/login/finish", json = "{credential}" }', "")
    text = text.replace("version = 1", 'version = 1\nteardown = [{ url = "/{token}", method = "DELETE" }]')
    text += '[capabilities]\nusernameless = true\ndelete-user = [{ url = "/{token}" }]\n'
    text += 'delete-passkey = [{ url = "/{credential.id}" }]\n'
    recipe = recipe_of(text.encode(), "test")
    assert set(recipe.abilities) == {"delete-user", "delete-passkey"}
    assert recipe.capabilities == {"usernameless", "named-login"}
    assert "nothing has saved {nothing}" in problems(text.replace('"/{token}", method', '"/{nothing}", method'))


def test_a_capability_that_is_false_is_none() -> None:
    text = RECIPE + "[capabilities]\nusernameless = false\nnamed-login = false\ndelete-user = false"
    assert recipe_of(text.encode(), "test").capabilities == frozenset()


def test_a_recipe_in_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RECIPE)
    assert find(str(file)).name == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_is_refused_when_it_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RECIPE)
    file.chmod(0)
    with pytest.raises(RecipeInvalid, match="cannot be read: Permission denied"):
        load(file)


def test_a_file_is_refused_when_it_is_missing_a_directory_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(RecipeInvalid, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(RecipeInvalid, match="cannot be read: Is a directory"):
        load(tmp_path)
    large = tmp_path / "large.toml"
    large.write_text("#" * 300_000)
    with pytest.raises(RecipeInvalid, match="larger than 256 KB"):
        load(large)
    with pytest.raises(RecipeInvalid, match="cannot be read"):
        load(tmp_path / "nul\0.toml")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(RecipeInvalid, match="not a regular file"):
        load(tmp_path / "pipe.toml")


def test_a_file_is_refused_when_everybody_may_write_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RECIPE)
    file.chmod(file.stat().st_mode | stat.S_IWOTH)
    with pytest.raises(RecipeInvalid, match=f"open for everybody to write: chmod o-w {file}"):
        load(file)


def test_a_name_that_no_recipe_has_is_met_with_the_nearest() -> None:
    with pytest.raises(RecipeInvalid) as caught:
        find("simplewebautn")
    assert "Did you mean simplewebauthn?" in str(caught.value.hint)
    with pytest.raises(RecipeInvalid) as caught:
        find("zzz")
    assert "recipe list" in str(caught.value.hint)
