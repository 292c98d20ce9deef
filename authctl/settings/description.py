"""What `config show` prints: every setting with its value, its source and its help, secrets masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authctl.settings.model import SECRETS, Settings, variable

MASK = "********"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it is in force."""

    name: str
    value: str
    source: str
    help: str


def describe(settings: Settings) -> list[SettingRow]:
    """All settings in the order in which they are declared. No secret, and no password in an address, is shown."""
    return [
        SettingRow(
            name=variable(name),
            value=_shown(settings, name),
            source=settings._sources.get(name, "default"),  # noqa: SLF001  kept there by load_settings, for this function
            help=info.description or "",
        )
        for name, info in Settings.model_fields.items()
    ]


def _shown(settings: Settings, name: str) -> str:
    value: Any = settings.has_pages if name == "pages" else getattr(settings, name)
    if name in SECRETS:
        return "(not set)" if value is None else MASK
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return _without_password(value) if name.endswith("_url") else str(value)


def _without_password(address: str) -> str:
    """An address whose password, wherever drivers look for one, is masked."""
    parts = urlsplit(address)
    shown = address
    if parts.password is not None:
        user = parts.netloc.rpartition("@")[0].partition(":")[0]
        host = parts.netloc.rpartition("@")[2]
        shown = parts._replace(netloc=f"{user}:{MASK}@{host}").geturl()
    head, mark, query = shown.partition("?")
    fields = [
        f"{field.partition('=')[0]}={MASK}" if "password" in field.partition("=")[0].lower() else field
        for field in query.split("&")
    ]
    return f"{head}{mark}{'&'.join(fields)}"
