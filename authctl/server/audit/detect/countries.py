"""Where an address is: the country, from a database on this machine; nothing is asked over the network.

The optional extra `geo` brings one that is embedded (iptocc: the registries' assignments) and a reader for MMDB files,
which an operator may have from elsewhere.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Protocol

from authctl.errors import UsageError
from authctl.server.audit.detect.interface import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXTRA: Final = "pip install 'authctl[geo]'"


class Countries(Protocol):
    """Tells the country of an address as ISO 3166-1 alpha-2; None for one that is in no country, or in none known."""

    def __call__(self, address: str) -> str | None:
        """The country of one address."""
        ...


def open_countries(database: Path | None) -> Countries:
    """The operator's MMDB file, or the embedded database.

    Raises CannotRun when the library is not installed, UsageError when the file cannot be used.
    """
    ask = _embedded() if database is None else _of_file(database)

    @lru_cache(maxsize=65_536)
    def country_of(address: str) -> str | None:
        try:
            parsed = ip_address(address)
        except ValueError:
            return None
        return ask(str(parsed)) if parsed.is_global else None

    return country_of


def _embedded() -> Callable[[str], str | None]:
    try:
        from iptocc import country_code
    except ImportError as error:
        raise CannotRun("there is no database of countries on this machine", hint=EXTRA) from error
    return country_code


def _of_file(path: Path) -> Callable[[str], str | None]:
    try:
        import maxminddb
    except ImportError as error:
        raise CannotRun(f"nothing on this machine reads {path}", hint=EXTRA) from error
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise UsageError(
            f"DETECT_COUNTRY_DATABASE {path} cannot be read: {error}", hint="name an MMDB file with countries"
        ) from error

    def ask(address: str) -> str | None:
        try:
            return _code_in(reader.get(address))
        except (ValueError, maxminddb.InvalidDatabaseError) as error:
            if "IPv6" in str(error):  # a file of IPv4 only
                return None
            raise UsageError(f"DETECT_COUNTRY_DATABASE {path} is damaged: {error}") from error

    return ask


def _code_in(record: object) -> str | None:
    """The code where the makers of such files put it: `country.iso_code`, `country_code`, or `country` itself."""
    if not isinstance(record, dict):
        return None
    for name in ("country", "registered_country", "country_code"):
        value = record.get(name)
        code = value.get("iso_code") if isinstance(value, dict) else value
        if isinstance(code, str) and len(code) == 2 and code.isalpha():
            return code.upper()
    return None
