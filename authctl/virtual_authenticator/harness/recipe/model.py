"""What a recipe says, as values: steps, ceremonies, and the rules by which an answer is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from re import Pattern

    from authctl.virtual_authenticator.harness.recipe.places import Place
    from authctl.virtual_authenticator.harness.recipe.templates import Template

VERSION: Final = 1
"""The newest form of recipes that this program knows."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what is kept of its answer.

    url     below the server's address, or a whole address; fillings are percent-encoded, except one at its beginning
    json    a tree of templates; None when there is no such body
    form    a form's fields; None when there is no such body
    status  what the answer's status has to be; empty for 200 to 299
    save    names for values of the answer
    """

    url: Template
    method: str = "GET"
    json: Any = None
    form: Mapping[str, Template] | None = None
    query: Mapping[str, Template] = field(default_factory=dict)
    headers: Mapping[str, Template] = field(default_factory=dict)
    status: frozenset[int] = frozenset()
    save: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """What has to be so of an answer, all of it; an empty rule fits none.

    values  a value that is compared, or a pattern that is looked for in it, per place
    """

    status: frozenset[int] = frozenset()
    values: tuple[tuple[Place, object | Pattern[str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Ceremony:
    """Registration or login.

    options  where the options are in the answer to `begin`, or a tree of templates that makes them
    reason   where a refusal tells its reason; None when that has to be guessed
    """

    begin: Step
    finish: Step
    options: Place | Mapping[str, Any]
    accept: Rule
    reject: Rule = Rule()
    before: tuple[Step, ...] = ()
    reason: Place | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How ceremonies are run against a server.

    base_url      where the server is unless the caller knows better; empty when the caller has to know
    origin        of the page; empty for that of the address
    rp_id         for options that name none; empty for the origin's host
    usernameless  a login that names nobody; None when that is the same as `login`, or cannot be had
    setup         what comes before the first ceremony of somebody who has no account yet
    teardown      what undoes it
    profile       reads what only somebody who is logged in may; None where the recipe describes no such thing
    capabilities  what can be done there, by the names that cases ask for
    abilities     those of them that take steps
    root_seed     of the root certificate that the server was told to trust; empty when it trusts none of ours
    related       an origin that the server lists as related; empty when it lists none
    """

    name: str
    description: str
    register: Ceremony
    login: Ceremony
    base_url: str = ""
    origin: str = ""
    rp_id: str = ""
    usernameless: Ceremony | None = None
    setup: tuple[Step, ...] = ()
    teardown: tuple[Step, ...] = ()
    profile: Step | None = None
    capabilities: frozenset[str] = frozenset()
    abilities: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    root_seed: str = ""
    related: str = ""
