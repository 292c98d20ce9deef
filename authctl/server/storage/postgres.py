"""The PostgreSQL driver, for several instances over one database; psycopg comes with the extra `postgres`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint

from authctl.errors import AlreadyExists, AuthctlError, SchemaMismatch, SettingsError, StorageError, StorageUnavailable
from authctl.server.storage.tables import metadata
from authctl.server.storage.turns import NoTurn

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy import URL

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
_TRANSIENT = ("40001", "40P01")  # serialization failure, deadlock


class PostgresDriver:
    """Opens connections to one PostgreSQL database."""

    name = "postgresql"
    begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED"
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._psycopg = _import_psycopg()
        self.exceptions: tuple[type[Exception], ...] = (self._psycopg.Error, UnicodeEncodeError)

    def connect(self, *, readonly: bool) -> Any:
        """A connection in autocommit mode whose commits are durable and whose waits are bounded."""
        return self._psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=3,
            prepare_threshold=2,
            options="-c timezone=UTC -c synchronous_commit=on -c lock_timeout=2000 -c statement_timeout=0"
            + (" -c default_transaction_read_only=on" if readonly else " -c statement_timeout=10000"),
        )

    def environment(self) -> dict[str, str]:
        """The address as PostgreSQL's own programs take it from their environment."""
        parts = self._psycopg.conninfo.conninfo_to_dict(self._conninfo)
        return {variable: str(parts[name]) for name, variable in _VARIABLES.items() if parts.get(name) is not None}

    def translate(self, error: Exception) -> AuthctlError:
        """Our error for one of psycopg's, by SQLSTATE."""
        state = getattr(error, "sqlstate", None) or ""
        # The message can name values; its first line does not.
        debug = f"{type(error).__name__} {state}: {str(error).splitlines()[:1]}"
        if state == "23505":
            return AlreadyExists(self._constraints.get(error.diag.constraint_name or "", "unknown"), debug=debug)  # type: ignore[attr-defined]
        if state in ("42P01", "42703"):
            return SchemaMismatch(debug=debug, hint="run `authctl db upgrade`")
        if isinstance(error, self._psycopg.OperationalError) or state[:2] in ("08", "25", "40", "53", "55", "57", "58"):
            return StorageUnavailable(hint="the database server does not answer or refuses", debug=debug)
        return StorageError(debug=debug)

    def is_busy(self, error: Exception) -> bool:
        """Never at BEGIN: PostgreSQL locks rows later."""
        return False

    def is_transient(self, error: Exception) -> bool:
        """A deadlock or a serialization failure: the transaction may be run again."""
        return getattr(error.__cause__ or error, "sqlstate", None) in _TRANSIENT

    def in_transaction(self, raw: Any) -> bool:
        """Whether a transaction is open, failed or not."""
        status = self._psycopg.pq.TransactionStatus
        return raw.info.transaction_status in (status.INTRANS, status.INERROR)

    def is_lost(self, raw: Any) -> bool:
        """Whether the server hung up."""
        return bool(raw.closed or raw.broken)

    def make_turn(self) -> NoTurn:
        """PostgreSQL's writers wait for rows, and in order."""
        return NoTurn()

    def require_in_place(self) -> None:
        """A server has its database in hand as long as the connection lasts."""

    @cached_property
    def _constraints(self) -> dict[str, str]:
        """Names of unique constraints and indices, to table.column as SQLite names them."""
        found: dict[str, str] = {}
        for table in metadata.tables.values():
            for index in table.indexes:
                found[str(index.name)] = f"{table.name}.{next(iter(index.columns)).name}"
            for constraint in table.constraints:
                if isinstance(constraint, UniqueConstraint) and not isinstance(constraint, ForeignKeyConstraint):
                    column = next(iter(constraint.columns)).name
                    found[f"uq_{table.name}_{column}"] = f"{table.name}.{column}"
            found[f"pk_{table.name}"] = "primary key"
        return found


def _import_psycopg() -> ModuleType:
    try:
        import psycopg
    except ImportError:
        raise SettingsError(
            ("DATABASE_URL names PostgreSQL, whose driver is not installed",), hint="pip install 'authctl[postgres]'"
        ) from None
    return psycopg
