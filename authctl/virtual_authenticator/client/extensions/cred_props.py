"""credProps (WebAuthn Level 3 §10.1.3): tells whether the new credential is discoverable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.client.extensions.plan import CreatePlan

if TYPE_CHECKING:
    from authctl.virtual_authenticator.client.extensions.plan import Context


def create(value: Any, context: Context) -> CreatePlan:
    """The client answers by itself."""
    if value is not True:
        return CreatePlan()
    return CreatePlan(result=lambda made: {"rk": made.credential.is_discoverable})
