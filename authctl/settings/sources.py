"""Where settings come from: options, the environment, `.env`, and files that either of them names."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dotenv.parser import parse_stream
from pydantic_settings import PydanticBaseSettingsSource

from authctl.settings.model import FIELD_OF_FILE_VARIABLE, FIELD_OF_VARIABLE, SECRETS, Settings, variable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo

MAXIMUM_FILE_BYTES = 65_536
_KNOWN = FIELD_OF_VARIABLE | FIELD_OF_FILE_VARIABLE
_SQUEEZED = {name.replace("_", "").lower(): name for name in _KNOWN}
_SHORTEST_GUESSED = 6
_LIKENESS = 0.82  # JWT_SECRET_KEY is JWT_SECRET; APP_NAME is not RP_NAME


@dataclass(slots=True)
class Gathered:
    """What the layers said: raw values by field, the source of each, and what was wrong on the way."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)


class LayerSource(PydanticBaseSettingsSource):
    """One layer of named texts, together with the files that `X_FILE` names in it."""

    def __init__(self, label: str, variables: Mapping[str, str], directory: Path, gathered: Gathered) -> None:
        super().__init__(Settings)
        self._label = label
        self._variables = variables
        self._directory = directory
        self._gathered = gathered

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of a field in this layer, or None."""
        return self._variables.get(variable(field_name)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The texts of all fields that this layer sets; the first layer that sets a field decides."""
        found: dict[str, Any] = {}
        for name, info in self.settings_cls.model_fields.items():
            if name in self._gathered.values or name in self._gathered.unreadable:
                continue
            value, label = self._given(name, info)
            if value is not None:
                found[name] = value
                self._gathered.sources[name] = label
        self._gathered.values.update(found)
        return found

    def _given(self, name: str, info: FieldInfo) -> tuple[str | None, str]:
        known_as = variable(name)
        value, _, _ = self.get_field_value(info, name)
        path = self._variables.get(f"{known_as}_FILE") if f"{known_as}_FILE" in FIELD_OF_FILE_VARIABLE else None
        if value is not None and path is not None:
            self._refuse(name, f"{known_as} and {known_as}_FILE are both set in {self._label}; keep one")
            return None, ""
        if path is not None:
            return self._read(name, known_as, path), f"{self._label} ({known_as}_FILE)"
        if value == "" and info.default in (None, ()) and name not in SECRETS:
            return None, ""
        return value, self._label

    def _read(self, name: str, known_as: str, path: str) -> str | None:
        file = self._directory / path
        try:
            content = _content_of(file)
        except OSError as error:
            self._refuse(name, f"{known_as}_FILE: {path!r} cannot be read: {error.strerror or 'not a text file'}")
            return None
        except ValueError as error:
            self._refuse(name, f"{known_as}_FILE: {path!r} {error}")
            return None
        self._gathered.files[name] = file
        return content

    def _refuse(self, name: str, problem: str) -> None:
        self._gathered.problems.append(problem)
        self._gathered.unreadable.add(name)


def _content_of(file: Path) -> str:
    with file.open("rb") as stream:
        content = stream.read(MAXIMUM_FILE_BYTES + 1)
    if len(content) > MAXIMUM_FILE_BYTES:
        raise ValueError("is larger than 64 KB")
    try:
        return content.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def read_dotenv(file: Path, gathered: Gathered) -> dict[str, str]:
    """The names and texts of a `.env` file, taken literally: nothing in it is expanded."""
    if not file.exists():
        return {}
    found: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except OSError as error:
        gathered.problems.append(f".env cannot be read: {error.strerror}")
        return {}
    except UnicodeDecodeError:
        gathered.problems.append(".env is not UTF-8 text")
        return {}
    for binding in bindings:
        if binding.key is None and not binding.error:
            continue
        if binding.key is None or binding.value is None:
            gathered.problems.append(f".env, line {binding.original.line}: has to be NAME=value")
        elif binding.key in found:
            gathered.problems.append(f".env, line {binding.original.line}: {binding.key} is set twice")
        else:
            found[binding.key] = binding.value
    return found


def unknown_names(names: Mapping[str, str]) -> list[str]:
    """A problem for each name of `.env` that is no setting."""
    return [
        f".env: {_shown(name)} is not a setting" + (f"; did you mean {near}?" if (near := nearest(name)) else "")
        for name in names
        if name not in _KNOWN
    ]


def near_misses(names: Mapping[str, str]) -> list[str]:
    """A warning for each name of the environment that is nearly a setting."""
    return [
        f"{_shown(name)} in the environment is not a setting; did you mean {near}?"
        for name in sorted(names)
        if name not in _KNOWN and (near := nearest(name)) and near not in names
    ]


def nearest(name: str) -> str | None:
    """The setting that a name was probably meant to be."""
    plain = name.upper().removeprefix("AUTHCTL_")
    if plain in _KNOWN:
        return plain
    squeezed = _SQUEEZED.get(plain.replace("_", "").replace("-", "").lower())
    if squeezed is not None or len(plain) < _SHORTEST_GUESSED:
        return squeezed
    return next(iter(get_close_matches(plain, _KNOWN, n=1, cutoff=_LIKENESS)), None)


def _shown(name: str) -> str:
    return name if name.isprintable() and len(name) <= 100 else ascii(name[:100])
