"""minPinLength (CTAP 2.1 §12.4, client part): passed on; the answer is in the authenticator data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.client.extensions.plan import CreatePlan

if TYPE_CHECKING:
    from authctl.virtual_authenticator.client.extensions.plan import Context


def create(value: Any, context: Context) -> CreatePlan:
    """Passes the question on."""
    return CreatePlan({"minPinLength": True} if value is True else {})
