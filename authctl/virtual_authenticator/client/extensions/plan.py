"""What an extension wants of a ceremony, made before it and asked for its result afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
    from authctl.virtual_authenticator.authenticator.get_assertion import Assertion
    from authctl.virtual_authenticator.authenticator.make_credential import MadeCredential
    from authctl.virtual_authenticator.client.rp_id import Origin
    from authctl.virtual_authenticator.credential_store.interface import Credential

NO_RESULT: Final = object()
"""The extension has no member in clientExtensionResults."""


@dataclass(frozen=True, slots=True)
class Context:
    """The ceremony as extensions see it.

    named            the credential ids that the relying party allows; empty in a registration
    is_discoverable  whether the new credential is to be discoverable
    """

    authenticator: VirtualAuthenticator
    origin: Origin
    named: tuple[bytes, ...] = ()
    is_discoverable: bool = False

    def has(self, name: str) -> bool:
        """Whether the authenticator takes part in an extension."""
        return name in self.authenticator.profile.extensions


@dataclass(frozen=True, slots=True)
class CreatePlan:
    """For a registration.

    inputs          what the authenticator gets, by its names
    also_excluded   an RP id under which credentials of the exclude list count too
    result          the value in clientExtensionResults, or NO_RESULT
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    also_excluded: str | None = None
    result: Callable[[MadeCredential], object] = lambda _: NO_RESULT


@dataclass(frozen=True, slots=True)
class GetPlan:
    """For a login.

    inputs             what the authenticator gets for the credential that will answer
    rp_id_instead      the RP id that is tried when there is no credential under the real one
    requires_verified  needs a verified user whatever the relying party asks
    result             the value in clientExtensionResults, or NO_RESULT
    """

    inputs: Callable[[Credential], Mapping[str, Any]] | None = None
    rp_id_instead: str | None = None
    requires_verified: bool = False
    result: Callable[[Assertion], object] = lambda _: NO_RESULT


PlanCreate: TypeAlias = Callable[[Any, Context], CreatePlan]
PlanGet: TypeAlias = Callable[[Any, Context], GetPlan]
