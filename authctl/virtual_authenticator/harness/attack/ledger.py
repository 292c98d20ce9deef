"""What a server did in each case, kept in a file beside the code, so that the next run can say what has changed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.virtual_authenticator.harness.attack.verdicts import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authctl.virtual_authenticator.harness.attack.verdicts import Result

VERSION: Final = 1
_KIND: Final = "authctl-attack-ledger"
_READABLE: Final = 0o644


@dataclass(frozen=True, slots=True)
class Entry:
    """What a case came to: the outcome, the status of HTTP and the reason."""

    outcome: str
    status: int
    reason: str

    def __str__(self) -> str:
        """In words: refused, 400 registration-failed."""
        answer = " ".join(str(part) for part in (self.status or "", self.reason) if part)
        return f"{self.outcome}, {answer}" if answer else self.outcome


@dataclass(frozen=True, slots=True)
class Change:
    """A case that came to something else than the last time."""

    case: str
    what: str
    before: Entry
    now: Entry


class Ledger:
    """The entries of cases by name."""

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self.entries = dict(entries or {})

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """The ledger in a file, an empty one where there is no file; UsageError when the file is something else."""
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", hint="Name another --ledger") from error
        except (ValueError, RecursionError) as error:
            raise _not_one(path, "it is no JSON") from error
        if not isinstance(document, dict) or document.get("kind") != _KIND:
            raise _not_one(path, "it is of another kind")
        if document.get("version") != VERSION:
            raise UsageError(
                f"{path} is of version {document.get('version')!r}, and this program knows {VERSION}",
                hint="Use the newer authctl, or another --ledger",
            )
        return cls(_entries(document.get("cases"), path))

    def changes(self, results: Iterable[Result]) -> tuple[Change, ...]:
        """What is different now, of cases that were there before and have a verdict now."""
        return self.changes_to({one.case.name: entry_of(one) for one in results})

    def changes_to(self, entries: Mapping[str, Entry]) -> tuple[Change, ...]:
        """The same, of entries by the names of their cases."""
        found = []
        for name, now in entries.items():
            before = self.entries.get(name)
            if before is not None and before != now and _is_kept(now):
                found.append(Change(name, _difference(before, now), before, now))
        return tuple(found)

    def unlisted(self, findings: Iterable[Result]) -> tuple[Result, ...]:
        """Those of the findings that the ledger does not have with the same outcome."""
        listed = {name: entry.outcome for name, entry in self.entries.items()}
        return tuple(one for one in findings if listed.get(one.case.name) != one.outcome.value)

    def updated(self, results: Iterable[Result]) -> Ledger:
        """With these results; of cases that were not played, or have no verdict now, what was known stays."""
        return self.with_entries({one.case.name: entry_of(one) for one in results})

    def with_entries(self, entries: Mapping[str, Entry]) -> Ledger:
        """The same, of entries by the names of their cases."""
        return Ledger(self.entries | {name: entry for name, entry in entries.items() if _is_kept(entry)})

    def write(self, path: Path) -> None:
        """Puts the ledger into the file in one step, cases in the order of their names; UsageError when it cannot."""
        cases = {
            name: {"outcome": entry.outcome, "status": entry.status, "reason": entry.reason}
            for name, entry in sorted(self.entries.items())
        }
        document = {"kind": _KIND, "version": VERSION, "cases": cases}
        text = json.dumps(document, indent=1, ensure_ascii=True) + "\n"
        try:
            _replace(path.resolve(), text.encode())
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}", hint="Name another --ledger") from error


def entry_of(result: Result) -> Entry:
    """What is kept of a result."""
    return Entry(result.outcome.value, result.status, result.reason)


def _is_kept(entry: Entry) -> bool:
    # That it could not be told today says nothing about the server.
    return entry.outcome != Outcome.INCONCLUSIVE.value


def _difference(before: Entry, now: Entry) -> str:
    if before.outcome == now.outcome:
        return f"still {now.outcome}, for another reason"
    return f"now {now.outcome}"


def _entries(cases: Any, path: Path) -> dict[str, Entry]:
    if not isinstance(cases, dict):
        raise _not_one(path, "it has no cases")
    entries = {}
    for name, kept in cases.items():
        match kept:
            case {"outcome": str(outcome), "status": int(status), "reason": str(reason)} if outcome in set(Outcome):
                entries[name] = Entry(outcome, status, reason)
            case _:
                raise _not_one(path, f"its entry of {name} is broken")
    return entries


def _not_one(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} is no ledger of attacks: {why}", hint="Name another --ledger, or remove the file")


def _replace(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), path.stat().st_mode & 0o777 if path.exists() else _READABLE)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
