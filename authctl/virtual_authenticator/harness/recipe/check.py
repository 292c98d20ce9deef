"""Reads recipes from files and text, and explains all that is wrong with one at once."""

from __future__ import annotations

import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.errors import RecipeInvalid
from authctl.virtual_authenticator.harness.recipe.parse import parse
from authctl.virtual_authenticator.harness.recipe.problems import Problems
from authctl.virtual_authenticator.harness.recipe.templates import ACCOUNT, CREDENTIAL, PLACE_NAMES, templates_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from authctl.virtual_authenticator.harness.recipe.model import Ceremony, Recipe, Step

_LARGEST: Final = 256 * 1024
_ALWAYS: Final = frozenset((*ACCOUNT, *PLACE_NAMES))


def load(path: Path) -> Recipe:
    """The recipe in a file; RecipeInvalid when it cannot be read or used, or others may write it."""
    problems = Problems()
    content = _read(path, problems)
    if content is None:
        raise RecipeInvalid(tuple(problems.found))
    return recipe_of(content, path.stem, where=str(path), problems=problems)


def recipe_of(content: bytes, name: str, *, where: str = "", problems: Problems | None = None) -> Recipe:
    """The recipe of a TOML text; RecipeInvalid, which lists all of them, when there are problems."""
    problems = Problems() if problems is None else problems
    document = _document(content, problems)
    if document is None:
        raise _invalid(problems, where)
    return recipe_from(document, name, where=where, problems=problems)


def recipe_from(document: Mapping[str, Any], name: str, *, where: str = "", problems: Problems | None = None) -> Recipe:
    """The recipe of a document that has been read already; RecipeInvalid, as above."""
    problems = Problems() if problems is None else problems
    recipe = parse(document, name, problems)
    if recipe is not None:
        _check_names(recipe, problems)
    if recipe is None or problems.found:
        raise _invalid(problems, where)
    return recipe


def _invalid(problems: Problems, where: str) -> RecipeInvalid:
    prefix = f"{where}: " if where else ""
    found = tuple(prefix + problem for problem in problems.found)
    return RecipeInvalid(found, hint="`authctl simulate recipe show fido` shows one that is right")


def _read(path: Path, problems: Problems) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                problems.add(str(path), "is not a regular file")
                return None
            content = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        problems.add(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}")
        return None
    if status.st_mode & stat.S_IWOTH:
        # Whoever writes it decides where requests go, and with what.
        problems.add("", f"is open for everybody to write: chmod o-w {path}")
    if len(content) > _LARGEST:
        problems.add(str(path), f"is larger than {_LARGEST // 1024} KB, which no recipe is")
        return None
    return content


def _document(content: bytes, problems: Problems) -> dict[str, Any] | None:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        problems.add("", "is not UTF-8 text")
    except tomllib.TOMLDecodeError as error:
        problems.add("", f"is not TOML: {error}")
    except RecursionError:
        problems.add("", "is nested too deeply")
    return None


def _check_names(recipe: Recipe, problems: Problems) -> None:
    """Notes every template variable that nothing has saved by then."""
    by_setup = _check_steps(recipe.setup, "setup", set(_ALWAYS), problems)
    by_register = _check_ceremony(recipe.register, "register", set(by_setup), problems)
    # Somebody with an account comes to the login without the set-up.
    by_login = _check_ceremony(recipe.login, "login", set(_ALWAYS), problems)
    if recipe.usernameless is not None:
        _check_ceremony(recipe.usernameless, "login.usernameless", set(_ALWAYS), problems)
    if recipe.profile is not None:
        _check_step(recipe.profile, "profile", set(by_login), problems)
    everything = by_register | by_login
    _check_steps(recipe.teardown, "teardown", set(everything), problems)
    for name, steps in recipe.abilities.items():
        _check_steps(steps, f"capabilities.{name}", everything | {CREDENTIAL}, problems)


def _check_ceremony(ceremony: Ceremony, where: str, known: set[str], problems: Problems) -> set[str]:
    known = _check_steps(ceremony.before, f"{where}.before", known, problems)
    known = _check_step(ceremony.begin, f"{where}.begin", known, problems)
    _check_templates(ceremony.options, f"{where}.options", known, problems)
    known = _check_step(ceremony.finish, f"{where}.finish", known | {CREDENTIAL}, problems)
    return known - {CREDENTIAL}


def _check_steps(steps: tuple[Step, ...], where: str, known: set[str], problems: Problems) -> set[str]:
    for number, step in enumerate(steps):
        known = _check_step(step, f"{where}[{number}]", known, problems)
    return known


def _check_step(step: Step, where: str, known: set[str], problems: Problems) -> set[str]:
    for name in ("url", "json", "form", "query", "headers"):
        _check_templates(getattr(step, name), f"{where}.{name}", known, problems)
    for name in step.save:
        if name in _ALWAYS or name == CREDENTIAL:
            problems.add(f"{where}.save.{name}", "is the name of something that templates know anyway: choose another")
    return known | set(step.save)


def _check_templates(tree: object, where: str, known: set[str], problems: Problems) -> None:
    for template in templates_in(tree):
        for hole in template.holes():
            if hole.name == CREDENTIAL and CREDENTIAL not in known:
                problems.add(where, f"{{{hole}}} is known only in `finish`")
            elif hole.name not in known:
                problems.add(where, f"nothing has saved {{{hole.name}}} by then; known are {', '.join(sorted(known))}")
