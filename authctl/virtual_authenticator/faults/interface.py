"""What a fault and a play are: small named functions, entered by a decorator under the case that they perform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.played import Story
    from authctl.virtual_authenticator.faults.stage import Stage

    Alter: TypeAlias = Callable[[Any], object]
    Perform: TypeAlias = Callable[[Stage], Story]

Key: TypeAlias = tuple[str, str]
"""A case's id and variant."""

_F = TypeVar("_F", bound=Callable[..., Any])


class Unlucky(NotSupported):
    """This message cannot have the fault; the next one may, since it is another by chance."""


class Layer(StrEnum):
    """The part of a message that a fault is on; STATE is what lies between messages."""

    ENVELOPE = "envelope"
    CLIENT_DATA = "client-data"
    AUTHENTICATOR_DATA = "authenticator-data"
    ATTESTED_CREDENTIAL = "attested-credential"
    COSE_KEY = "cose-key"
    ATTESTATION_STATEMENT = "attestation-statement"
    CERTIFICATE = "certificate"
    SIGNATURE = "signature"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Fault:
    """Takes the draft of a valid message and changes one thing on one layer."""

    layer: Layer
    alter: Alter


@dataclass(frozen=True, slots=True)
class Play:
    """Tells a story of several messages on a stage, with nothing but visits to the server."""

    layer: Layer
    perform: Perform


FAULTS: Final[dict[Key, Fault]] = {}
PLAYS: Final[dict[Key, Play]] = {}


def fault(layer: Layer, case_id: str, variant: str = "") -> Callable[[_F], _F]:
    """Enters a fault; one function may perform several cases."""

    def enter(function: _F) -> _F:
        FAULTS[_new((case_id, variant))] = Fault(layer, function)
        return function

    return enter


def play(case_id: str, variant: str = "", *, layer: Layer = Layer.STATE) -> Callable[[_F], _F]:
    """Enters a play."""

    def enter(function: _F) -> _F:
        PLAYS[_new((case_id, variant))] = Play(layer, function)
        return function

    return enter


def _new(key: Key) -> Key:
    if key in FAULTS or key in PLAYS:
        raise ValueError(f"{key} is entered twice")
    return key
