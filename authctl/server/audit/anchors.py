"""Anchors: what a row says about the ends of other chains, as JSON in its `anchors` column.

The first row of a chain names the heads that no checkpoint covers yet, the first after a reset those that the reset
removed. A checkpoint names every head that moved since the last one, and is signed over exactly this text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.audit.events import Head

if TYPE_CHECKING:
    from collections.abc import Iterable


class AnchorKind(StrEnum):
    """Why a row names heads."""

    START = "start"
    RESET = "reset"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Anchors:
    """The content of the column.

    audit_key   id of the key of the chain
    key         fingerprint of the signing key, on checkpoints
    public_key  the raw key in hex, on checkpoints
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
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the anchors of a row: {error!r}") from error


def _parse_heads(heads: list[dict[str, Any]]) -> Iterable[Head]:
    for head in heads:
        yield Head(str(head["writer"]), int(head["seq"]), bytes.fromhex(head["mac"]))
