"""Signed checkpoints outside the trail: a document that holds everything its signature needs, and what it proves.

A checkpoint names the ends of all chains that had moved and, with the chain of the checkpoint before it, everything
that had been named before. Kept elsewhere it tells whether what it names is still there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from authctl.errors import NotFound, Refused, UsageError
from authctl.server.audit.anchors import AnchorKind, Anchors, parse_anchors
from authctl.server.audit.events import EventType
from authctl.server.audit.findings import FindingKind
from authctl.server.audit.own_events import checkpoint_event
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from authctl.server.audit.anchor_judgement import AnchorJudge
    from authctl.server.audit.chain_walk import Surroundings
    from authctl.server.audit.events import Caller
    from authctl.server.storage.events import EventRow
    from authctl.server.storage.transaction import Transaction

DOCUMENT_TYPE = "authctl checkpoint"
_HOW = "Ed25519 over the bytes `authctl checkpoint`, NUL, and the UTF-8 text of `anchors`"
_POSITION_OF_ANCHORS, _POSITION_OF_SIGNATURE = 18, 19


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint, wherever it was kept.

    text  what was signed: the anchors as JSON
    """

    event_id: str
    text: str
    signature: bytes

    @property
    def anchors(self) -> Anchors:
        """What the text says."""
        return parse_anchors(self.text)

    def document(self) -> dict[str, Any]:
        """The checkpoint as it is kept elsewhere; everything but `anchors` and `signature` is for the reader."""
        anchors = self.anchors
        return {
            "type": DOCUMENT_TYPE,
            "event_id": self.event_id,
            "instance": anchors.instance,
            "generation": anchors.generation,
            "writer": anchors.writer,
            "seq": anchors.seq,
            "time": f"{anchors.time[:10]}T{anchors.time[11:]}Z",
            "heads": [{"writer": h.writer_id, "seq": h.seq, "mac": h.mac.hex()} for h in anchors.heads],
            "anchors": self.text,
            "signature": self.signature.hex(),
            "public_key": anchors.public_key,
            "fingerprint": anchors.key,
            "signed": _HOW,
        }


def sign_checkpoint(tx: Transaction, caller: Caller) -> Checkpoint:
    """Signs the ends of all chains that have moved; the last checkpoint when none has. Raises Refused with no trail."""
    if tx.writers.moved():
        record(tx, checkpoint_event(caller))
        row = tx.anchored.checkpoint_of(caller.request_id or "", tx.now)
    else:
        row = tx.anchored.newest_checkpoint()
    if row is None:
        raise Refused("The audit trail is empty: there is nothing to sign")
    return checkpoint_of(row)


def checkpoint_of(row: EventRow) -> Checkpoint:
    """The checkpoint that stands in a row."""
    return Checkpoint(row[0], row[_POSITION_OF_ANCHORS], row[_POSITION_OF_SIGNATURE])


def find_checkpoint(tx: Transaction, event_id: str) -> Checkpoint:
    """The checkpoint with this event id. Raises NotFound."""
    row = tx.anchored.by_id(event_id.strip().lower())
    if row is None:
        raise NotFound(f"There is no event {event_id}", hint="authctl audit list --event checkpoint shows all of them")
    if row[1] != EventType.CHECKPOINT.value or not isinstance(row[_POSITION_OF_ANCHORS], str) or not row[19]:
        raise UsageError(f"The event {event_id} is no checkpoint", hint="authctl audit list --event checkpoint")
    return checkpoint_of(row)


def parse_document(data: bytes, name: str) -> Checkpoint:
    """The checkpoint that was kept in a file of this name. Raises UsageError when it is none, or contradicts itself."""
    try:
        content = orjson.loads(data)
        found = Checkpoint(
            str(content.get("event_id", "")), str(content["anchors"]), bytes.fromhex(content["signature"])
        )
        is_checkpoint = found.anchors.kind is AnchorKind.CHECKPOINT
        made = found.document()
        wrong = sorted(name for name in made.keys() & content.keys() if content[name] != made[name])
    except (ValueError, KeyError, TypeError, AttributeError):
        is_checkpoint = False
    if not is_checkpoint:
        raise UsageError(f"{name} is no checkpoint", hint="authctl audit checkpoint --output writes one")
    if wrong:  # whoever reads the document, and not the signed text, would be told something else
        raise UsageError(f"{name} contradicts what was signed, in {', '.join(wrong)}", hint="take an unchanged copy")
    return found


def check_checkpoint(around: Surroundings, judge: AnchorJudge, kept: Checkpoint, generation: int) -> bool:
    """Holds the trail against a checkpoint that was kept elsewhere; False when the checkpoint itself proves nothing."""
    anchors = kept.anchors
    named_by = f"the checkpoint of {anchors.time}Z, row {anchors.seq} of writer {anchors.writer},"
    if anchors.generation < generation:
        sentence = f"The trail was begun anew since {named_by} was signed"
        around.report.add(FindingKind.CHECKPOINT_MISSING, anchors.writer, anchors.seq, kept.event_id, sentence)
        return False
    problems = judge.judge(_as_row(kept, anchors)).problems
    for problem in problems:
        sentence = f"Not usable is {named_by} {problem.sentence}"
        around.report.add(problem.kind, anchors.writer, anchors.seq, kept.event_id, sentence)
    if problems:
        return False
    for head in anchors.heads:
        around.check_head(head, named_by.rstrip(","), kept.event_id)
    _check_own_row(around, kept, anchors, named_by)
    return True


def _check_own_row(around: Surroundings, kept: Checkpoint, anchors: Anchors, named_by: str) -> None:
    row = around.tx.events.at(anchors.writer, anchors.seq)
    if row is None and around.explanations.removed(anchors.writer).covering(anchors.seq) is not None:
        return
    if row is None:
        kind, sentence = FindingKind.CHECKPOINT_MISSING, f"There is no more {named_by} in the trail"
    elif row[_POSITION_OF_ANCHORS] != kept.text:
        kind, sentence = FindingKind.CHECKPOINT_CONTRADICTED, f"Something else stands in place of {named_by}"
    else:
        return
    around.report.add(kind, anchors.writer, anchors.seq, kept.event_id, sentence.rstrip(","))


def _as_row(kept: Checkpoint, anchors: Anchors) -> EventRow:
    nothing: tuple[Any, ...] = (None,)
    return (
        kept.event_id, EventType.CHECKPOINT.value, *nothing * 12, anchors.writer, anchors.seq, *nothing * 2,
        kept.text, kept.signature, b"",
    )  # fmt: skip
