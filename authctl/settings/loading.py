"""Gathers settings from every source, checks them as a whole, and refuses with all problems at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from authctl.errors import SettingsError
from authctl.settings.model import SECRETS, WITH_FILE, Settings, variable
from authctl.settings.rules import problems_between, warnings_about
from authctl.settings.sources import Gathered, LayerSource, near_misses, read_dotenv, unknown_names
from authctl.settings.values import list_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENVIRONMENT = "environment"
DOTENV = ".env"
OPTION = "option"
_HINT = "mend them in the environment or in .env, and try again with: authctl config check"
_MOUNTED_SECRETS = ("/run/secrets/", "/var/run/secrets/")
_SQLITE = "sqlite:///"


def load_settings(*, environ: Mapping[str, str] | None = None, cwd: Path | None = None, **overrides: Any) -> Settings:
    """The settings of this process: options over the environment over `.env` over defaults.

    environ    stands for the process environment
    cwd        holds `.env` and anchors relative paths; without it paths stay relative to the working directory
    overrides  values by field name, as options of a command give them; None means not given

    Raises SettingsError with every problem found, one sentence each.
    """
    environment = os.environ if environ is None else environ
    directory = Path() if cwd is None else cwd
    gathered = Gathered()
    given = {name: value for name, value in overrides.items() if value is not None}
    gathered.values.update(given)
    gathered.sources.update(dict.fromkeys(given, OPTION))
    dotenv = read_dotenv(directory / DOTENV, gathered)
    gathered.problems.extend(unknown_names(dotenv))
    for label, variables in ((ENVIRONMENT, environment), (DOTENV, dotenv)):
        LayerSource(label, variables, directory, gathered)()
    settings = _checked(gathered)
    if cwd is not None:
        settings = settings.model_copy(update=_anchored(settings, cwd))
    settings._sources.update(gathered.sources)  # noqa: SLF001  set once, here; the model is frozen for everybody else
    settings._warnings = (*_all_warnings(settings, gathered, environment, directory),)  # noqa: SLF001  as above
    return settings


def settings_warnings(settings: Settings) -> tuple[str, ...]:
    """What works and should be known: one sentence each."""
    return settings._warnings  # noqa: SLF001  kept there by load_settings, for this function


def _checked(gathered: Gathered) -> Settings:
    settings, wrong = _validated(gathered.values)
    unusable = frozenset(wrong) | gathered.unreadable
    said = [problem for problems in wrong.values() for problem in problems]
    if not settings.origins and not {"origins", "port"} & unusable:
        settings = settings.model_copy(update={"origins": _local_origin(settings.port)})
    problems = [*gathered.problems, *said, *problems_between(settings, unusable)]
    if problems:
        raise SettingsError(tuple(problems), hint=_HINT)
    return settings


def _validated(values: dict[str, Any]) -> tuple[Settings, dict[str, list[str]]]:
    """Settings of the usable values, and the problems of each field that is not usable by itself."""
    try:
        return Settings(**values), {}
    except ValidationError as error:
        wrong: dict[str, list[str]] = {}
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            name, *place = item["loc"]
            wrong.setdefault(str(name), []).append(_problem(str(name), values[str(name)], place, item["msg"]))
    return Settings(**{name: value for name, value in values.items() if name not in wrong}), wrong


def _problem(name: str, value: Any, place: list[int | str], message: str) -> str:
    """One sentence for one refused value; the value is shown unless it could be, or hold, a secret."""
    if name not in Settings.model_fields:
        return f"{name} is not a setting"
    plain = message.removeprefix("Value error, ").replace("Input should", "should", 1)
    said = plain[:1].lower() + plain[1:]
    if name in WITH_FILE:
        return f"{variable(name)} {said}"
    items = list_of(value)
    shown = items[place[0]] if place and isinstance(place[0], int) else value
    return f"{variable(name)} {str(shown)[:100]!a} {said}"


def _local_origin(port: int) -> tuple[str, ...]:
    if port == 0:
        return ()
    return ("http://localhost" if port == 80 else f"http://localhost:{port}",)


def _anchored(settings: Settings, cwd: Path) -> dict[str, Any]:
    anchored: dict[str, Any] = {"log_file": cwd / settings.log_file, "key_dir": cwd / settings.key_dir}
    if settings.detect_country_database is not None:
        anchored["detect_country_database"] = cwd / settings.detect_country_database
    if settings.database_url.startswith(_SQLITE):
        anchored["database_url"] = f"{_SQLITE}{cwd / settings.database_url.removeprefix(_SQLITE)}"
    return anchored


def _all_warnings(
    settings: Settings, gathered: Gathered, environment: Mapping[str, str], directory: Path
) -> Iterator[str]:
    yield from near_misses(environment)
    for name in sorted(_secret_by_value(settings)):
        if gathered.sources.get(name) == ENVIRONMENT:
            yield f"{variable(name)} stands in the environment; {variable(name)}_FILE keeps it out of process listings"
    if any(gathered.sources.get(name) == DOTENV for name in _secret_by_value(settings)):
        yield from _warn_if_readable(directory / DOTENV, DOTENV)
    for name, file in sorted(gathered.files.items()):
        if not str(file).startswith(_MOUNTED_SECRETS):
            yield from _warn_if_readable(file, f"{variable(name)}_FILE")
    if settings.is_production and "database_url" not in gathered.sources:
        yield "DATABASE_URL is the default, a file in the working directory"
    yield from warnings_about(settings)


def _secret_by_value(settings: Settings) -> frozenset[str]:
    return SECRETS | {"database_url"} if urlsplit(settings.database_url).password else SECRETS


def _warn_if_readable(file: Path, label: str) -> Iterator[str]:
    if file.stat().st_mode & stat.S_IROTH:
        yield f"{label} can be read by every user of this machine; chmod 600 it"
