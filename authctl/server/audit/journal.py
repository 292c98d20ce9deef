"""The journal of one writer thread: turns events into chained rows, and sees that committed rows reach the file."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from authctl.errors import AuditUnavailable, StorageError
from authctl.server.audit import chain
from authctl.server.audit.anchors import SIGNED, AnchorKind, Anchors
from authctl.server.audit.events import RANGE_EVENTS, Event, EventType, Head
from authctl.server.audit.keys import TrailKeys, fingerprint_of
from authctl.server.audit.lines import render
from authctl.server.audit.liveness import this_host
from authctl.server.audit.neutralising import MAX_EMAIL, clean_details, clean_identifier, clean_name, clean_user_agent
from authctl.server.audit.own_events import checkpoint_event, gap_event
from authctl.server.audit.positions import Line
from authctl.server.storage.events import COLUMNS
from authctl.server.storage.identifiers import new_event_id, new_id
from authctl.server.storage.rows import make
from authctl.server.storage.tables import AuditWriter
from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from authctl.server.audit.events import ChainRange
    from authctl.server.audit.own_events import Gap
    from authctl.server.audit.shipping import Shipper
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

log = logging.getLogger("authctl.audit")

CHECKPOINT_EVERY = 1000
"""Events of one writer after which it signs a checkpoint by itself."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What all journals of a process share.

    kind     "server" or "cli"
    policy   "db": the table has to be written, the file may be late; "all": both have to be written before the answer
    shipper  None when there is no file
    """

    keys: TrailKeys
    instance_id: str
    kind: Literal["server", "cli"]
    policy: Literal["db", "all"] = "db"
    shipper: Shipper | None = None

    def journal(self) -> ChainJournal:
        """A journal for one more writer thread."""
        return ChainJournal(self)


class _Chain(NamedTuple):
    """Where a chain stands; immutable, so that going back to a savepoint is an assignment."""

    writer_id: str
    key: bytes
    generation: int
    seq: int = 0
    mac: bytes = chain.START
    unsigned: int = 0
    """Events since the last checkpoint."""


class ChainJournal:
    """Implements `storage.journal.Journal`; a chain begins with its first event, so that reading leaves no trace."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._keys = recording.keys
        self._shipper = recording.shipper
        self._chain: _Chain | None = None
        self._is_in_doubt = False
        self._pending: list[EventRow] = []
        self._owed: list[Line] = []
        self._gaps: list[Gap] = []
        self._is_new_trail = False
        self._is_closing = False
        self._holds_file = False

    def begin_batch(self, tx: Transaction) -> None:
        """Notices a reset, and finds out what became of a transaction whose fate is unknown."""
        self._pending = []
        self._owed = []
        self._is_new_trail = self._is_closing = False
        generation = tx.instance.generation()
        if self._is_in_doubt:
            self._look_up_chain(tx)
        if self._chain is not None and self._chain.generation != generation:
            self._chain = None
        if self._shipper is not None:
            self._shipper.begin_generation(generation)

    def mark(self) -> object:
        """The state before a savepoint."""
        return self._chain, len(self._pending)

    def restore(self, mark: object) -> None:
        """Forgets what was appended since the mark."""
        self._chain, length = cast("tuple[_Chain | None, int]", mark)
        del self._pending[length:]

    def append(self, tx: Transaction, event: Event) -> None:
        """Inserts one event; raises AuditUnavailable when that fails."""
        try:
            if event.type is EventType.CHECKPOINT:
                self._append_checkpoint(tx, event)
            elif event.type is EventType.DATABASE_RESET:
                self._append_reset(tx, event)
            elif event.type in RANGE_EVENTS and event.ranges:
                self._append_ranges(tx, event)
            else:
                self._append(tx, event)
        except StorageError as error:
            # The driver's exception stays the cause: it decides whether the transaction may be run again.
            raise AuditUnavailable(hint=error.hint, debug=error.debug) from (error.__cause__ or error)

    def before_commit(self, tx: Transaction) -> None:
        """Notes the chain's new head; writes the file first where the policy demands it."""
        self._append_gaps(tx)
        if self._chain is not None and self._chain.unsigned >= CHECKPOINT_EVERY:
            self.append(tx, checkpoint_event())
        shipper = self._shipper
        if self._chain is None or not self._pending:
            self._owed = [] if shipper is None else shipper.fetch(tx)
        elif shipper is None or self._is_new_trail:
            self._note_head(tx, self._chain, shipped=0)
        else:
            shipper.open_chain(self._chain.writer_id, self._chain.generation)
            self._bring_file_along(tx, shipper, self._chain)

    def after_commit(self) -> None:
        """Brings the file forward; what cannot be written now is read from the table later."""
        self._gaps = []
        try:
            self._bring_file_forward()
        except Exception:  # the events are safe, and nobody who waits may be told otherwise
            log.exception("the audit file was not written")

    def after_rollback(self) -> None:
        """Takes everything back; the next batch reads where the chain really stands."""
        self._is_in_doubt = True
        if self._shipper is not None:
            self._shipper.put_back_gaps(self._gaps)
            if self._holds_file:
                self._shipper.settle(committed=False)
        self._gaps, self._holds_file = [], False

    def close(self, tx: Transaction) -> None:
        """A clean stop: a last checkpoint, and the writer is closed."""
        if self._chain is None:
            return
        if self._shipper is not None:
            # A loss found only when the last line is written would have no batch left to be mended in.
            self._shipper.inspect(self._chain.generation)
        if self._chain.unsigned:
            self.append(tx, checkpoint_event())
        tx.writers.close(self._chain.writer_id, tx.now)
        self._is_closing = True
        self._is_in_doubt = True  # whatever came after would need a look at the table

    # Appending.

    def _append(self, tx: Transaction, event: Event) -> None:
        if self._chain is None:
            self._chain = self._open_chain(tx)
            # Only now: opening waits for a reset that is under way, and these heads have to be of the same trail.
            heads = tuple(Head(*head) for head in tx.writers.moved())
            self._insert(tx, event, anchors=self._anchors(tx, self._chain, AnchorKind.START, heads).to_text())
        else:
            self._insert(tx, event)

    def _append_reset(self, tx: Transaction, event: Event) -> None:
        """The first event of a new trail; what this transaction appended to the old one is gone with it."""
        self._pending.clear()
        self._is_new_trail = True
        self._chain = self._open_chain(tx)
        self._insert(tx, event, anchors=self._anchors(tx, self._chain, AnchorKind.RESET, event.heads).to_text())

    def _append_checkpoint(self, tx: Transaction, event: Event) -> None:
        current = self._chain = self._chain or self._open_chain(tx)
        moved = {head[0]: Head(*head) for head in tx.writers.moved()}
        heads = _last_checkpoint(tx) | moved
        heads.pop(current.writer_id, None)
        if current.seq:
            heads[current.writer_id] = Head(current.writer_id, current.seq, current.mac)
        ordered = tuple(heads[writer_id] for writer_id in sorted(heads))
        anchors = self._anchors(tx, current, AnchorKind.CHECKPOINT, ordered).to_text()
        # One order for everybody, so that two checkpoints on PostgreSQL never wait for each other's rows.
        for writer_id in sorted({*moved, current.writer_id}):
            own = writer_id == current.writer_id
            tx.writers.note_checkpoint(writer_id, current.seq + 1 if own else moved[writer_id].seq)
        self._insert(tx, event, anchors=anchors, signature=self._keys.sign(anchors))
        self._chain = self._chain._replace(unsigned=0)
        if self._shipper is not None:
            self._shipper.adopt_soon()

    def _append_ranges(self, tx: Transaction, event: Event) -> None:
        """Rows were taken out or blanked: what would look like damage is told, signed, by the row that explains it."""
        current = self._chain = self._chain or self._open_chain(tx)
        kind = AnchorKind.ERASURE if event.type is EventType.USER_ERASED else AnchorKind.REMOVAL
        # A chain's first row names the heads that no checkpoint covers, whatever else it says.
        heads = () if current.seq else tuple(Head(*head) for head in tx.writers.moved())
        anchors = self._anchors(tx, current, kind, heads, event.ranges).to_text()
        self._insert(tx, event, anchors=anchors, signature=self._keys.sign(anchors))

    def _append_gaps(self, tx: Transaction) -> None:
        if self._shipper is None or self._is_new_trail:
            return
        self._gaps = self._shipper.take_gaps()
        for gap in self._gaps:
            self.append(tx, gap_event(gap))

    def _open_chain(self, tx: Transaction) -> _Chain:
        opened = _Chain(new_id(), b"", tx.writers.hold_generation())
        log_file = None if self._shipper is None else str(self._shipper.path)
        tx.writers.add(
            make(
                AuditWriter,
                id=opened.writer_id,
                kind=self._recording.kind,
                generation=opened.generation,
                host=this_host(),
                pid=os.getpid(),
                log_file=log_file,
                started_at=tx.now,
            )
        )
        return opened._replace(key=chain.derive_writer_key(self._keys.audit, opened.writer_id))

    def _anchors(
        self,
        tx: Transaction,
        current: _Chain,
        kind: AnchorKind,
        heads: tuple[Head, ...],
        ranges: tuple[ChainRange, ...] = (),
    ) -> Anchors:
        public = self._keys.public_key if kind in SIGNED else None
        return Anchors(
            kind=kind,
            instance=self._recording.instance_id,
            generation=current.generation,
            writer=current.writer_id,
            seq=current.seq + 1,
            time=write_time(tx.now),
            audit_key=chain.audit_key_id(self._keys.audit),
            heads=heads,
            key=None if public is None else fingerprint_of(public),
            public_key=None if public is None else public.hex(),
            ranges=ranges,
        )

    def _insert(
        self, tx: Transaction, event: Event, anchors: str | None = None, signature: bytes | None = None
    ) -> None:
        writer_id, key, generation, seq, previous, unsigned = self._chain  # type: ignore[misc]
        caller = event.caller
        email = clean_name(event.user_email, MAX_EMAIL)
        address = clean_name(caller.address)
        peer = clean_name(caller.peer_address)
        agent = clean_user_agent(caller.user_agent)
        details = clean_details(event.details)
        salt = chain.new_salt()
        row: EventRow = (
            new_event_id(), event.type.value, email, clean_identifier(event.user_id), address, agent,
            int(event.success), details, write_time(tx.now), clean_name(event.actor or caller.actor),
            clean_identifier(event.target_user_id), clean_name(event.reason), clean_identifier(caller.request_id), peer,
            writer_id, seq + 1, salt, chain.digest_personal(salt, email, address, agent, details, peer),
            anchors, signature, b"",
        )  # fmt: skip
        mac = chain.compute_mac(key, row, previous)
        row = (*row[:-1], mac)
        tx.events.add(dict(zip(COLUMNS, row, strict=True)))
        self._pending.append(row)
        self._chain = _Chain(writer_id, key, generation, seq + 1, mac, unsigned + 1)

    # Around the commit.

    def _bring_file_along(self, tx: Transaction, shipper: Shipper, current: _Chain) -> None:
        if self._recording.policy == "all":
            self._write_file_first(tx, shipper, current)
            return
        if self._is_closing:
            try:
                # Nobody comes after this batch to note how far the file got.
                self._write_file_first(tx, shipper, current)
            except AuditUnavailable as error:
                log.debug("the last rows are left to the next process: %s", error.debug)
            else:
                return
        self._note_head(tx, current, shipped=shipper.shipped(current.writer_id))
        self._owed = shipper.fetch(tx)

    def _write_file_first(self, tx: Transaction, shipper: Shipper, current: _Chain) -> None:
        # The row's lock before the file's: a checkpoint of another thread takes them in this order too.
        self._note_head(tx, current, shipped=current.seq)
        shipper.write_through(tx, current.writer_id, current.seq, self._pending_lines())
        self._holds_file = True

    def _note_head(self, tx: Transaction, current: _Chain, *, shipped: int) -> None:
        if not tx.writers.advance(current.writer_id, seq=current.seq, mac=current.mac, shipped=shipped):
            raise AuditUnavailable(debug="the trail was reset meanwhile")

    def _pending_lines(self) -> list[Line]:
        current = self._chain
        if current is None:
            return []
        return [Line(current.writer_id, row[15], render(row, current.generation), row[15] - 1) for row in self._pending]

    def _bring_file_forward(self) -> None:
        shipper, current = self._shipper, self._chain
        if shipper is None:
            return
        if self._holds_file:
            self._holds_file = False
            shipper.settle(committed=True)
            return
        if self._is_new_trail and current is not None:
            shipper.begin_generation(current.generation)
            shipper.open_chain(current.writer_id, current.generation)
            shipper.restart_file()
        if self._pending and current is not None:
            shipper.note_committed(current.writer_id, current.seq)
        if self._owed or self._pending:
            shipper.ship(self._owed, self._pending_lines())

    def _look_up_chain(self, tx: Transaction) -> None:
        self._is_in_doubt = False
        current = self._chain
        if current is None:
            return
        writer = tx.writers.by_id(current.writer_id)
        if self._shipper is not None:
            self._shipper.correct_chain(current.writer_id, None if writer is None else writer.last_seq)
        if writer is None or writer.closed_at is not None:
            self._chain = None
        else:
            self._chain = current._replace(
                seq=writer.last_seq, mac=writer.last_mac, unsigned=writer.last_seq - writer.checkpointed_seq
            )


def _last_checkpoint(tx: Transaction) -> dict[str, Head]:
    """The end of the chain in which the last checkpoint stands.

    With it each checkpoint vouches for the one before, and so for every head that was ever named: an old chain that
    does not move any more is pinned by whichever checkpoint somebody has kept.
    """
    row = tx.anchored.newest_checkpoint()
    writer = None if row is None else tx.writers.by_id(row[14])
    return {} if writer is None else {writer.id: Head(writer.id, writer.last_seq, writer.last_mac)}
