"""Judges what a row says about other rows: whether it is readable, of this place of this trail, and signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from authctl.server.audit.anchors import SIGNED, AnchorKind, Anchors, parse_anchors
from authctl.server.audit.chain import audit_key_id
from authctl.server.audit.events import EventType
from authctl.server.audit.findings import FindingKind

if TYPE_CHECKING:
    from authctl.server.audit.keys import TrailKeys
    from authctl.server.storage.events import EventRow

_TYPES: dict[AnchorKind, frozenset[str]] = {
    AnchorKind.RESET: frozenset({EventType.DATABASE_RESET.value}),
    AnchorKind.CHECKPOINT: frozenset({EventType.CHECKPOINT.value}),
    AnchorKind.REMOVAL: frozenset({EventType.AUDIT_PRUNE.value, EventType.AUDIT_ARCHIVE.value}),
    AnchorKind.ERASURE: frozenset({EventType.USER_ERASED.value}),
}
"""The events of which anchors of a kind can be; a chain's first row may be of any."""
_MAC_BYTES = 32


class Problem(NamedTuple):
    """Something that is wrong with the anchors of a row."""

    kind: FindingKind
    sentence: str


class Judgement(NamedTuple):
    """What a row's anchors say, and what is wrong with them.

    is_ours       whether the chain that the row is part of has the audit key at hand
    is_trusted    whether what they say counts: made for this place of this trail, and signed by a key that is known
    """

    anchors: Anchors | None
    problems: tuple[Problem, ...]
    is_ours: bool
    is_trusted: bool


class AnchorJudge:
    """Knows the keys and the trail."""

    def __init__(self, keys: TrailKeys, instance_id: str, generation: int) -> None:
        self._keys = keys
        self._audit_key_id = audit_key_id(keys.audit)
        self._instance_id = instance_id
        self._generation = generation

    def judge(self, row: EventRow, *, is_signature_known: bool = False) -> Judgement:
        """A row that has anchors, or that should have them; a signature that is known to be right costs nothing."""
        try:
            anchors = parse_anchors(row[18] if isinstance(row[18], str) else "")
        except ValueError:
            problem = Problem(FindingKind.ANCHORS_INVALID, "the anchors cannot be read")
            return Judgement(None, (problem,), is_ours=True, is_trusted=False)
        problems = self._misplaced(row, anchors)
        if not is_signature_known:
            problems += self._unsigned(row, anchors)
        is_trusted = not problems
        is_ours = anchors.audit_key == self._audit_key_id
        if not is_ours:
            sentence = f"the chain names the audit key {anchors.audit_key}, the one at hand is {self._audit_key_id}"
            problems.append(Problem(FindingKind.KEY_UNKNOWN, sentence))
        return Judgement(anchors, tuple(problems), is_ours, is_trusted)

    def _misplaced(self, row: EventRow, anchors: Anchors) -> list[Problem]:
        wrong = []
        if (anchors.writer, anchors.seq, anchors.instance) != (row[14], row[15], self._instance_id):
            wrong.append("the anchors belong to another row")
        if anchors.generation != self._generation:
            wrong.append(f"the anchors are of generation {anchors.generation}, the trail is of {self._generation}")
        types = _TYPES.get(anchors.kind)
        if types is not None and row[1] not in types:
            wrong.append(f"the anchors are those of another event: {anchors.kind.value}")
        if any(one.first < 1 or one.last < one.first for one in anchors.ranges) or (
            anchors.kind is AnchorKind.REMOVAL and any(len(one.mac) != _MAC_BYTES for one in anchors.ranges)
        ):
            wrong.append("the anchors name ranges that cannot be")
        return [Problem(FindingKind.ANCHORS_INVALID, sentence) for sentence in wrong]

    def _unsigned(self, row: EventRow, anchors: Anchors) -> list[Problem]:
        if anchors.kind not in SIGNED and row[1] != EventType.CHECKPOINT.value:
            return []
        what = "checkpoint" if row[1] == EventType.CHECKPOINT.value else anchors.kind.value
        if anchors.key is None or not self._keys.is_known(anchors.key):
            return [Problem(FindingKind.KEY_UNKNOWN, f"the {what} names the key {anchors.key}, which is not known")]
        if row[19] is None or not self._keys.is_signature_valid(anchors.key, row[18], row[19]):
            return [Problem(FindingKind.CHECKPOINT_INVALID, f"the {what}'s signature is wrong")]
        return []
