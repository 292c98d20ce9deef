"""credProtect (CTAP 2.1 §12.1, client part): the policy by its name, and whether it may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.client.extensions.plan import CreatePlan
from authctl.virtual_authenticator.errors import NotAllowed, OptionsInvalid

if TYPE_CHECKING:
    from authctl.virtual_authenticator.client.extensions.plan import Context

_NAME: Final = "credProtect"
_LEVELS: Final = {
    "userVerificationOptional": 1,
    "userVerificationOptionalWithCredentialIDList": 2,
    "userVerificationRequired": 3,
}


def create(value: Any, context: Context) -> CreatePlan:
    """Translates the policy; nothing stands in the client's results."""
    if not isinstance(value, str) or value not in _LEVELS:
        raise OptionsInvalid(f"credentialProtectionPolicy {value!r} is not known")
    return CreatePlan({_NAME: _LEVELS[value]})


def enforce(value: Any, policy: Any, context: Context) -> None:
    """Raises NotAllowed when the policy must be kept and this authenticator cannot."""
    level = _LEVELS.get(policy, 1) if isinstance(policy, str) else 1
    if value is True and level > 1 and not context.has(_NAME):
        raise NotAllowed("The server demands a protected credential, which this authenticator does not have")
