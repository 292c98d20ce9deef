"""Whether keys and database belong together, and are of the same age."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from authctl.errors import StorageDamaged, StorageMissing
from authctl.server.storage.sqlite import SqliteDriver

if TYPE_CHECKING:
    from authctl.server.keys import Keys
    from authctl.server.storage.connection import Driver
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import Instance
    from authctl.server.storage.transaction import Transaction

MARK = "database.json"
_LASTING = ("audit", "decoy", "checkpoint")
"""Keys that a database depends on. The token key may change: that only ends every session."""


class Identity:
    """The mark in the key directory: these keys have a database, which has reached this generation.

    Without a key directory (every key given by the operator) there is no mark, and the fingerprints alone decide.
    """

    def __init__(self, key_dir: Path) -> None:
        self._mark = key_dir / MARK

    @property
    def has_database(self) -> bool:
        """Whether these keys were ever used with a database."""
        return self._generation() > 0

    def require_no_loss(self, driver: Driver) -> None:
        """Raises StorageMissing when the keys know a database that is not there: it is never replaced by a new one."""
        if isinstance(driver, SqliteDriver) and self.has_database and not os.path.lexists(driver.path):
            raise StorageMissing(
                f"The database {driver.path} is gone, and the keys in {self._mark.parent} belong to it",
                hint=f"restore it from a backup, or move {self._mark.parent} away to start anew",
            )

    def adopt(self, database: Database, keys: Keys) -> None:
        """Names a new database; raises StorageDamaged for one that has another name, other keys, or an older state."""
        instance = database.read_now(lambda tx: tx.instance.load() if tx.instance.is_set_up() else None)
        if instance is None:
            instance = database.write_now(lambda tx: _name(tx, keys))
        _compare(instance, keys)
        if instance.generation < self._generation():
            raise StorageDamaged(
                "The database is older than its keys: it was reset after this copy of it was made",
                hint="restore a newer backup, or the key directory of the same age",
            )
        self.note(instance.generation)

    def note(self, generation: int) -> None:
        """Remembers how far the database has come."""
        if not self._mark.parent.is_dir() or self._generation() == generation:
            return
        descriptor, temporary = tempfile.mkstemp(dir=self._mark.parent, prefix=f".{MARK}.")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"generation": generation}, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).rename(self._mark)

    def _generation(self) -> int:
        try:
            return int(json.loads(self._mark.read_text(encoding="ascii"))["generation"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageDamaged(f"{self._mark} cannot be read", hint=str(error)) from error


def _name(tx: Transaction, keys: Keys) -> Instance:
    if not tx.instance.is_set_up():  # another process may have been faster
        tx.instance.add(keys.instance_id, orjson.dumps(keys.fingerprints()).decode())
    return tx.instance.load()


def _compare(instance: Instance, keys: Keys) -> None:
    known, given = orjson.loads(instance.key_fingerprints), keys.fingerprints()
    changed = [name for name in _LASTING if known.get(name) != given[name]]
    if instance.instance_id != keys.instance_id or changed:
        what = f"the {' and '.join(changed)} key differs" if changed else "the names of the instance differ"
        raise StorageDamaged(
            f"The database belongs to other keys: {what}",
            hint="give the key directory or the keys that the database was made with",
        )
