"""`authctl simulate recipe`: lists, shows and checks the recipes by which other servers are talked to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from authctl.commands._lazy import Lazy, LazyGroup
from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output
from authctl.virtual_authenticator.harness.recipe.builtin import NAMES, builtin, text_of
from authctl.virtual_authenticator.harness.recipe.check import load

_COLUMNS = (
    Column("name", "Name"),
    Column("description", "For", least=12),
    Column("base_url", "Where, without --url", least=12),
    Column("capabilities", "What it can do, which attacks need", least=12),
)


def list_recipes(output_format: FormatOption = Format.TABLE) -> None:
    """List the recipes that come with authctl.

    Example: authctl simulate recipe list
    """
    recipes = [builtin(name) for name in NAMES]
    rows = [
        {
            "name": recipe.name,
            "description": recipe.description,
            "base_url": recipe.base_url,
            "capabilities": sorted(recipe.capabilities),
        }
        for recipe in recipes
    ]
    Output(output_format).table(rows, _COLUMNS)


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of `authctl simulate recipe list`.")],
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Show a recipe that comes with authctl, as a file to begin one's own with.

    Example: authctl simulate recipe show fido > mine.toml
    """
    text = text_of(name)
    output = Output(output_format)
    if output_format in {Format.JSON, Format.JSONL, Format.CSV}:
        output.record({"name": name, "recipe": text})
        return
    for line in text.splitlines():
        output.text(line)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recipe.")],
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Say everything that is wrong with a recipe, without asking its server anything.

    Exits 0 when nothing is, and 2 otherwise.

    Example: authctl simulate recipe check mine.toml
    """
    recipe = load(file)
    row = {
        "name": recipe.name,
        "description": recipe.description,
        "base_url": recipe.base_url,
        "origin": recipe.origin,
        "capabilities": sorted(recipe.capabilities | set(recipe.abilities)),
    }
    Output(output_format).done(f"{file} can be used: authctl simulate login --target {file}", row)


group = LazyGroup(
    {
        "list": Lazy("authctl.commands.simulate.recipe:list_recipes", "List the recipes that come with authctl."),
        "show": Lazy("authctl.commands.simulate.recipe:show", "Show one, as a file to begin one's own with."),
        "check": Lazy("authctl.commands.simulate.recipe:check", "Say everything that is wrong with a recipe."),
    },
    name="recipe",
    help="Recipes say how another maker's server is talked to.\n\nExample: authctl simulate recipe list",
)
