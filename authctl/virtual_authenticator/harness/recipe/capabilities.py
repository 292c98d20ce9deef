"""What a recipe says that a server can do: true or false, steps that do it, or a text that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, TAKES_STEPS, TAKES_TEXT
from authctl.virtual_authenticator.harness.recipe.problems import join
from authctl.virtual_authenticator.harness.recipe.templates import templates_in
from authctl.virtual_authenticator.harness.transport import origin_of, require_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.harness.recipe.model import Ceremony, Step
    from authctl.virtual_authenticator.harness.recipe.problems import Problems

NAMED_LOGIN: Final = "named-login"
_USER: Final = "user"
_MEANING: Final = {
    "trusted-root": "the seed of the root that the server trusts",
    "related-origin": "an origin that the server lists as related",
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What stands in the table.

    said       what is true, by name
    denied     what is false
    abilities  the steps of those that take some
    texts      the text of those that take one
    """

    said: frozenset[str]
    denied: frozenset[str]
    abilities: Mapping[str, tuple[Step, ...]]
    texts: Mapping[str, str]


def parse_capabilities(
    value: object, problems: Problems, parse_steps: Callable[[object, str, Problems], tuple[Step, ...]]
) -> Capabilities:
    """The table, as far as it can be understood; notes what is wrong with it."""
    table = problems.table(value, "capabilities", tuple(CAPABILITIES))
    denied = {name for name, given in table.items() if given is False}
    abilities: dict[str, tuple[Step, ...]] = {}
    texts: dict[str, str] = {}
    said: set[str] = set()
    for name, given in table.items():
        if given is False or name not in CAPABILITIES:
            continue
        where = join("capabilities", name)
        if problem := _problem(name, given):
            problems.add(where, problem)
        elif name in TAKES_STEPS:
            abilities[name] = parse_steps(given, where, problems)
        else:
            said.add(name)
            if name in TAKES_TEXT:
                texts[name] = given
    return Capabilities(frozenset(said), frozenset(denied), abilities, texts)


def names_its_user(ceremony: Ceremony) -> bool:
    """Whether the requests that begin a ceremony say who it is for."""
    return any(
        hole.name == _USER
        for step in (*ceremony.before, ceremony.begin)
        for part in (step.url, step.json, step.form, step.query, step.headers)
        for template in templates_in(part)
        for hole in template.holes()
    )


def _problem(name: str, given: Any) -> str:
    if name in TAKES_STEPS:
        if given is True:
            return "takes an array of steps that do it"
        return "" if isinstance(given, list) else "is an array of steps"
    if name in TAKES_TEXT:
        return "" if isinstance(given, str) and _fits(name, given) else f"is text: {_MEANING[name]}"
    if isinstance(given, list):
        return f"is true or false; steps are for {', '.join(TAKES_STEPS)}"
    return "" if given is True else "is true or false"


def _fits(name: str, text: str) -> bool:
    if name != "related-origin":
        return bool(text)
    try:
        return origin_of(require_url(text)) == text
    except UsageError:
        return False
