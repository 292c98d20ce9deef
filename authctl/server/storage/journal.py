"""What a writer needs from the audit trail, so that events are part of the transaction they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.storage.transaction import Transaction


class Journal(Protocol):
    """One per writer thread; called by that thread only, in the order in which the methods stand here."""

    def begin_batch(self, tx: Transaction) -> None:
        """After BEGIN, before the first unit of work."""
        ...

    def mark(self) -> object:
        """The state before a savepoint."""
        ...

    def restore(self, mark: object) -> None:
        """Back to a state: its savepoint was rolled back."""
        ...

    def append(self, tx: Transaction, event: Any) -> None:
        """Inserts one event within the running unit of work."""
        ...

    def before_commit(self, tx: Transaction) -> None:
        """All units of the batch have run; raising rolls the batch back."""
        ...

    def after_commit(self) -> None:
        """The batch is durable; must not raise."""
        ...

    def after_rollback(self) -> None:
        """The batch is gone, or its fate is unknown: read the state anew at the next `begin_batch`."""
        ...

    def close(self, tx: Transaction) -> None:
        """The last act of a clean stop, in a transaction of its own."""
        ...


class NoJournal:
    """Keeps no trail; for tests of the storage alone and for opening a database before its keys are known."""

    def begin_batch(self, tx: Transaction) -> None:
        """Nothing to prepare."""

    def mark(self) -> object:
        """No state."""
        return None

    def restore(self, mark: object) -> None:
        """No state."""

    def append(self, tx: Transaction, event: Any) -> None:
        """The event is dropped."""

    def before_commit(self, tx: Transaction) -> None:
        """Nothing to write."""

    def after_commit(self) -> None:
        """Nothing to ship."""

    def after_rollback(self) -> None:
        """Nothing to forget."""

    def close(self, tx: Transaction) -> None:
        """Nothing to close."""


if TYPE_CHECKING:
    JournalFactory = Callable[[], Journal]
