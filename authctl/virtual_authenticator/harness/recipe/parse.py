"""Makes a recipe from its document, noting everything that is wrong instead of stopping at the first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.virtual_authenticator.harness.recipe.capabilities import NAMED_LOGIN, names_its_user, parse_capabilities
from authctl.virtual_authenticator.harness.recipe.model import VERSION, Ceremony, Recipe, Rule, Step
from authctl.virtual_authenticator.harness.recipe.places import Place, pattern
from authctl.virtual_authenticator.harness.recipe.problems import Problems, join
from authctl.virtual_authenticator.harness.recipe.templates import Template
from authctl.virtual_authenticator.harness.transport import require_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_RECIPE: Final = (
    "version",
    "name",
    "description",
    "base_url",
    "origin",
    "rp_id",
    "setup",
    "register",
    "login",
    "teardown",
    "profile",
    "capabilities",
)
_CEREMONY: Final = ("before", "begin", "options", "finish", "accept", "reject", "reason")
_STEP: Final = ("url", "method", "json", "form", "query", "headers", "status", "save")
_RULE: Final = ("status", "json", "header", "cookie", "text")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def parse(document: Mapping[str, Any], name: str, problems: Problems) -> Recipe | None:
    """The recipe, or None when something is missing without which there is none; notes what is wrong with it."""
    table = problems.table(document, "", _RECIPE)
    _version(table, problems)
    register = _required_ceremony(table, "register", problems)
    login = _required_ceremony(table, "login", problems)
    capabilities = parse_capabilities(table.get("capabilities", {}), problems, _steps)
    usernameless = _usernameless(table.get("login"), problems)
    setup = _steps(table.get("setup", []), "setup", problems)
    teardown = _steps(table.get("teardown", []), "teardown", problems)
    profile = _step(table["profile"], "profile", problems) if "profile" in table else None
    base_url, origin = (_address(table, member, problems) for member in ("base_url", "origin"))
    if register is None or login is None:
        return None
    seen = {"usernameless"} if usernameless else set()
    seen |= {NAMED_LOGIN} if names_its_user(login) else set()
    return Recipe(
        name=problems.text(table, "name", "") or name,
        description=problems.text(table, "description", ""),
        register=register,
        login=login,
        base_url=base_url,
        origin=origin,
        rp_id=problems.text(table, "rp_id", ""),
        usernameless=usernameless,
        setup=setup,
        teardown=teardown,
        profile=profile,
        capabilities=capabilities.said | (seen - capabilities.denied),
        abilities=capabilities.abilities,
        root_seed=capabilities.texts.get("trusted-root", ""),
        related=capabilities.texts.get("related-origin", ""),
    )


def _version(table: Mapping[str, Any], problems: Problems) -> None:
    version = table.get("version")
    if version is None:
        problems.add("version", f"is missing; this form of recipes is version = {VERSION}")
    elif isinstance(version, bool) or not isinstance(version, int) or version < 1:
        problems.add("version", f"has to be a number from 1 to {VERSION}")
    elif version > VERSION:
        problems.add("version", f"{version} is newer than this program, which knows {VERSION}: update authctl")


def _address(table: Mapping[str, Any], name: str, problems: Problems) -> str:
    text = problems.text(table, name, "")
    if not text:
        return ""
    try:
        return require_url(text)
    except UsageError as error:
        problems.add(name, error.detail)
        return ""


def _required_ceremony(table: Mapping[str, Any], name: str, problems: Problems) -> Ceremony | None:
    if name not in table:
        problems.add(name, f"is missing: a recipe has [register] and [login], each with {', '.join(_CEREMONY[1:5])}")
        return None
    known = (*_CEREMONY, "usernameless") if name == "login" else _CEREMONY
    return _ceremony(problems.table(table[name], name, known), name, problems)


def _usernameless(login: object, problems: Problems) -> Ceremony | None:
    # What it does not say itself is as in the login with a name.
    if not isinstance(login, dict) or "usernameless" not in login:
        return None
    where = "login.usernameless"
    own = problems.table(login["usernameless"], where, _CEREMONY)
    named = {name: value for name, value in login.items() if name != "usernameless"}
    return _ceremony({**named, **own}, where, problems)


def _ceremony(table: Mapping[str, Any], where: str, problems: Problems) -> Ceremony | None:
    for name in ("begin", "finish", "accept"):
        if name not in table:
            problems.add(join(where, name), "is missing")
    before = _steps(table.get("before", []), join(where, "before"), problems)
    begin, finish = (_step(table[name], join(where, name), problems) if name in table else None for name in _ENDS)
    options = _options(table.get("options", "$"), join(where, "options"), problems)
    accept = _rule(table.get("accept", {"status": [200]}), join(where, "accept"), problems)
    reject = _rule(table["reject"], join(where, "reject"), problems) if "reject" in table else Rule()
    reason = problems.parsed(Place.parse, table["reason"], join(where, "reason")) if "reason" in table else None
    if begin is None or finish is None or options is None:
        return None
    return Ceremony(begin, finish, options, accept, reject, before, reason)


_ENDS: Final = ("begin", "finish")


def _options(value: object, where: str, problems: Problems) -> Place | Mapping[str, Any] | None:
    if isinstance(value, dict):
        tree: Mapping[str, Any] = _tree(value, where, problems)
        return tree
    return problems.parsed(Place.parse, value, where)


def _steps(value: object, where: str, problems: Problems) -> tuple[Step, ...]:
    steps = [_step(item, f"{where}[{number}]", problems) for number, item in enumerate(problems.items(value, where))]
    return tuple(step for step in steps if step is not None)


def _step(value: object, where: str, problems: Problems) -> Step | None:
    table = problems.table(value, where, _STEP)
    if not table:
        return None
    if "url" not in table:
        problems.add(join(where, "url"), "is missing")
        return None
    if "json" in table and "form" in table:
        problems.add(where, "json and form cannot both be the body")
    url = problems.parsed(Template.parse, table["url"], join(where, "url"))
    _check_url(table["url"], join(where, "url"), problems)
    if url is None:
        return None
    has_body = "json" in table or "form" in table
    return Step(
        url=url,
        method=_method(table.get("method", "POST" if has_body else "GET"), join(where, "method"), problems),
        json=_tree(table["json"], join(where, "json"), problems) if "json" in table else None,
        form=_fields(table["form"], join(where, "form"), problems) if "form" in table else None,
        query=_fields(table.get("query", {}), join(where, "query"), problems),
        headers=_fields(table.get("headers", {}), join(where, "headers"), problems),
        status=_status(table.get("status", []), join(where, "status"), problems),
        save=_saved(table.get("save", {}), join(where, "save"), problems),
    )


def _check_url(value: object, where: str, problems: Problems) -> None:
    if isinstance(value, str) and not value.startswith(("/", "http://", "https://", "{")):
        problems.add(where, f"{value!r} is neither a path that begins with /, nor a whole address, nor a saved one")


def _method(value: object, where: str, problems: Problems) -> str:
    if value not in _METHODS:
        problems.add(where, f"{value!r} is none of {', '.join(_METHODS)}")
    return str(value)


def _tree(value: Any, where: str, problems: Problems) -> Any:
    if isinstance(value, str):
        return problems.parsed(Template.parse, value, where)
    if isinstance(value, dict):
        return {name: _tree(item, join(where, name), problems) for name, item in value.items()}
    if isinstance(value, list):
        return [_tree(item, f"{where}[{number}]", problems) for number, item in enumerate(value)]
    if not isinstance(value, (bool, int, float)):
        problems.add(where, "dates and times have no JSON form: write them as text")
        return None
    return value


def _fields(value: object, where: str, problems: Problems) -> Mapping[str, Template]:
    fields = _any_table(value, where, problems)
    parsed = {name: problems.parsed(Template.parse, text, join(where, name)) for name, text in fields.items()}
    return {name: template for name, template in parsed.items() if template is not None}


def _any_table(value: object, where: str, problems: Problems) -> Mapping[str, Any]:
    return problems.table(value, where, tuple(value) if isinstance(value, dict) else ())


def _status(value: object, where: str, problems: Problems) -> frozenset[int]:
    numbers = [value] if isinstance(value, int) else problems.items(value, where)
    wrong = [number for number in numbers if type(number) is not int or not 100 <= number <= 599]
    if wrong:
        problems.add(where, f"{wrong[0]!r} is no HTTP status")
    return frozenset(number for number in numbers if number not in wrong)


def _saved(value: object, where: str, problems: Problems) -> Mapping[str, Place]:
    places = {}
    for name, text in _any_table(value, where, problems).items():
        if not _NAME.fullmatch(name):
            problems.add(join(where, name), "a name is of letters, digits and _, and begins with a letter")
        place = problems.parsed(Place.parse, text, join(where, name))
        if place is not None:
            places[name] = place
    return places


def _rule(value: object, where: str, problems: Problems) -> Rule:
    table = problems.table(value, where, _RULE)
    if not table:
        problems.add(where, f"says nothing; it takes {', '.join(_RULE)}")
    status = _status(table.get("status", []), join(where, "status"), problems)
    values: list[tuple[Place, object]] = []
    for kind, prefix in (("json", ""), ("header", "header:"), ("cookie", "cookie:")):
        for name, expected in _any_table(table.get(kind, {}), join(where, kind), problems).items():
            place = problems.parsed(Place.parse, prefix + name, join(where, kind, name))
            wanted = _expected(expected, join(where, kind, name), problems)
            values += [] if place is None else [(place, wanted)]
    if "text" in table:
        place = problems.parsed(_in_text, table["text"], join(where, "text"))
        values += [] if place is None else [(place, re.compile(""))]
    return Rule(status, tuple(values))


def _in_text(text: str) -> Place:
    # Plain text has to be there as it stands.
    wanted = text.removeprefix("re:") if text.startswith("re:") else re.escape(text)
    return Place(text, "re", pattern=pattern(f"({wanted})"))


def _expected(value: object, where: str, problems: Problems) -> object:
    if isinstance(value, str) and value.startswith("re:"):
        return problems.parsed(pattern, value.removeprefix("re:"), where)
    if isinstance(value, (dict, list)):
        problems.add(where, "is compared with text, a number or a boolean")
    return value
