"""What endpoints reach besides their request: the service behind, the limits before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.server.http.ceremony_gate import Gate
    from authctl.server.service import Service


@dataclass(frozen=True, slots=True)
class Edge:
    """Made once per application. `description` is the API description as bytes."""

    service: Service
    gate: Gate
    description: bytes
