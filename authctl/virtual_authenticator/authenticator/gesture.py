"""What the user does when an authenticator asks: touch, verify, or refuse; decided per call, since nobody is there."""

from __future__ import annotations

from dataclasses import dataclass

from authctl.virtual_authenticator.authenticator.authenticator_data import Flag
from authctl.virtual_authenticator.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Gesture:
    """The user's answer and the flags that follow from it.

    backup_eligible, backed_up   None: as the credential says
    is_forced                    the flags go out as they are, even against the demands of the server
    """

    is_user_present: bool = True
    is_user_verified: bool = True
    has_consent: bool = True
    backup_eligible: bool | None = None
    backed_up: bool | None = None
    is_forced: bool = False

    def require(self, *, user_presence: bool, user_verification: bool) -> None:
        """Raises NotAllowed when the user refuses or does less than is demanded."""
        if not self.has_consent:
            raise NotAllowed("The user did not consent")
        if self.is_forced:
            return
        if user_presence and not self.is_user_present:
            raise NotAllowed("The user was not there")
        if user_verification and not self.is_user_verified:
            raise NotAllowed("The user was not verified, which the server demands")

    def flags(self, *, backup_eligible: bool, backed_up: bool) -> int:
        """The flags byte for a credential with these backup properties."""
        eligible = backup_eligible if self.backup_eligible is None else self.backup_eligible
        backup = backed_up if self.backed_up is None else self.backed_up
        return (
            (Flag.UP.value if self.is_user_present else 0)
            | (Flag.UV.value if self.is_user_verified else 0)
            | (Flag.BE.value if eligible else 0)
            | (Flag.BS.value if backup else 0)
        )


CONFIRMED = Gesture()
