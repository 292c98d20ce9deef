"""Anchors: what a row says about the ends of other chains, as JSON in its `anchors` column.

The first row of a chain names the heads that no checkpoint covers yet, the first after a reset those that the reset
removed. A checkpoint names every head that moved since the last one, and is signed over exactly this text. So are the
rows that tell what retention took out of the table, and what an erasure blanked: they name ranges of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.audit.events import ChainRange, Head

if TYPE_CHECKING:
    from collections.abc import Iterable


class AnchorKind(StrEnum):
    """Why a row names heads or ranges."""

    START = "start"
    RESET = "reset"
    CHECKPOINT = "checkpoint"
    REMOVAL = "removal"
    ERASURE = "erasure"


SIGNED = frozenset({AnchorKind.CHECKPOINT, AnchorKind.REMOVAL, AnchorKind.ERASURE})
"""The kinds that carry a signature: what they say has to be provable without the secret key of the chains."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The content of the column.

    audit_key   id of the key of the chain
    key         fingerprint of the signing key, where there is a signature
    public_key  the raw key in hex, where there is a signature
    ranges      rows that were taken out of the table (with the last MAC of each range), or blanked
    """

    kind: AnchorKind
    instance: str
    generation: int
    writer: str
    seq: int
    time: str
    audit_key: str
    heads: tuple[Head, ...]
    key: str | None = None
    public_key: str | None = None
    ranges: tuple[ChainRange, ...] = ()

    def to_text(self) -> str:
        """The JSON that is stored, covered and signed."""
        content: dict[str, Any] = {
            "kind": self.kind.value,
            "instance": self.instance,
            "generation": self.generation,
            "writer": self.writer,
            "seq": self.seq,
            "time": self.time,
            "audit_key": self.audit_key,
            # A sequence starts at 1 and has no holes, so it is also the count of the chain's rows.
            "heads": [{"writer": h.writer_id, "seq": h.seq, "count": h.seq, "mac": h.mac.hex()} for h in self.heads],
        }
        if self.key is not None:
            content |= {"key": self.key, "public_key": self.public_key}
        if self.ranges:
            content["ranges"] = [(r.writer_id, r.first, r.last, r.mac.hex()) for r in self.ranges]
        return orjson.dumps(content).decode()


def parse_anchors(text: str) -> Anchors:
    """The content of the column; raises ValueError when it is not of our making."""
    try:
        content = orjson.loads(text)
        return Anchors(
            kind=AnchorKind(content["kind"]),
            instance=str(content["instance"]),
            generation=int(content["generation"]),
            writer=str(content["writer"]),
            seq=int(content["seq"]),
            time=str(content["time"]),
            audit_key=str(content["audit_key"]),
            heads=tuple(_parse_heads(content["heads"])),
            key=content.get("key"),
            public_key=content.get("public_key"),
            ranges=tuple(
                ChainRange(str(r[0]), int(r[1]), int(r[2]), bytes.fromhex(r[3])) for r in content.get("ranges", ())
            ),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not the anchors of a row: {error!r}") from error


def _parse_heads(heads: list[dict[str, Any]]) -> Iterable[Head]:
    for head in heads:
        yield Head(str(head["writer"]), int(head["seq"]), bytes.fromhex(head["mac"]))
