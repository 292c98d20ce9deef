"""What an extension sees of an operation, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from authctl.virtual_authenticator.credential_store.extension_state import NO_EXTENSIONS, ExtensionState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator import cbor
    from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is under way, as far as extensions care.

    state  what the extensions before this one have made for the new credential
    """

    authenticator: VirtualAuthenticator
    is_discoverable: bool
    is_user_verified: bool
    state: ExtensionState = NO_EXTENSIONS


@dataclass(frozen=True, slots=True)
class Output:
    """What came of an input.

    signed  the output in authenticator data; None: there is none
    state   members of the credential's ExtensionState that change
    """

    signed: cbor.Encodable = None
    state: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Output()


class Extension(Protocol):
    """One extension. An input that makes no sense is ignored, as CTAP asks."""

    @property
    def identifier(self) -> str:
        """Its name in CTAP."""
        ...

    def make(self, value: Any, operation: Operation) -> Output:
        """Takes part in making a credential."""
        ...

    def get(self, value: Any, state: ExtensionState, operation: Operation) -> Output:
        """Takes part in an assertion."""
        ...
