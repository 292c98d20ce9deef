"""The recipes that come with the program, and how a recipe is found by what a person calls it."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.errors import RecipeInvalid
from authctl.virtual_authenticator.harness.recipe.check import load, recipe_of

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.recipe.model import Recipe

NAMES: Final = (
    "authctl",
    "fido",
    "simplewebauthn",
    "webauthn-io",
    "better-auth",
    "hanko",
    "keycloak",
    "go-webauthn",
)
"""The recipes that come with the program."""


def text_of(name: str) -> str:
    """The text of a recipe that comes with the program, comments and all; RecipeInvalid when there is none."""
    if name not in NAMES:
        near = get_close_matches(name, NAMES, 1, 0.5)
        hint = f"Did you mean {near[0]}? " if near else "`authctl simulate recipe list` names them. "
        raise RecipeInvalid((f"No recipe is called {name!r}",), hint=f"{hint}A file is named with a / or .toml")
    return (files(__package__) / "recipes" / f"{name}.toml").read_text(encoding="utf-8")


def builtin(name: str) -> Recipe:
    """A recipe that comes with the program; RecipeInvalid when none has that name."""
    return recipe_of(text_of(name).encode(), name)


def find(name_or_file: str) -> Recipe:
    """The recipe that comes with the program under a name, or the one in a file: a word with a / or .toml in it."""
    is_file = "/" in name_or_file or name_or_file.endswith(".toml")
    return load(Path(name_or_file)) if is_file else builtin(name_or_file)
