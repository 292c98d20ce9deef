"""What the options say and what the answers have to prove, decided once from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from authctl.server.ceremonies import base64url, cose_key
from authctl.server.ceremonies.shared_steps import Expected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TIMEOUT_MILLISECONDS: Final = 60_000


class CeremonySettings(Protocol):
    """The settings that a ceremony depends on."""

    @property
    def rp_id(self) -> str:
        """The relying party id."""
        ...

    @property
    def rp_name(self) -> str:
        """Its display name."""
        ...

    @property
    def origins(self) -> tuple[str, ...]:
        """Exact origins."""
        ...

    @property
    def allowed_top_origins(self) -> tuple[str, ...]:
        """Pages that may frame the ceremony."""
        ...

    @property
    def user_verification(self) -> str:
        """What is asked for: "required" or "preferred"."""
        ...

    @property
    def authenticator_attachment(self) -> str:
        """Where passkeys may live: "platform", "cross-platform" or "any"."""
        ...

    @property
    def attestation_formats(self) -> tuple[str, ...]:
        """Formats accepted at registration."""
        ...

    @property
    def challenge_ttl_seconds(self) -> int:
        """How long a challenge is good."""
        ...

    @property
    def rate_limits(self) -> bool:
        """Off for load tests."""
        ...

    @property
    def rate_limit_outstanding_per_source(self) -> int:
        """Challenges that one source may have open."""
        ...

    @property
    def rate_limit_outstanding_total(self) -> int:
        """Challenges that may be open in all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One relying party's rules.

    attachment              None leaves the choice to the user
    outstanding_per_source  None for load tests, where everything comes from one source
    fingerprint             changes with everything that an old challenge must not survive (R-CH-06)
    """

    rp_id: str
    rp_name: str
    origins: tuple[str, ...]
    top_origins: tuple[str, ...]
    user_verification: str
    attachment: str | None
    formats: frozenset[str]
    challenge_seconds: int
    outstanding_per_source: int | None
    outstanding_total: int
    fingerprint: str
    algorithms: tuple[int, ...] = cose_key.OFFERED

    @classmethod
    def of(cls, settings: CeremonySettings) -> Policy:
        """The rules that these settings mean."""
        attachment = settings.authenticator_attachment
        places = ("rp", settings.rp_id, "origins", *sorted(settings.origins), "top", *settings.allowed_top_origins)
        return cls(
            rp_id=settings.rp_id,
            rp_name=settings.rp_name,
            origins=settings.origins,
            top_origins=settings.allowed_top_origins,
            user_verification=settings.user_verification,
            attachment=None if attachment == "any" else attachment,
            formats=frozenset(settings.attestation_formats),
            challenge_seconds=settings.challenge_ttl_seconds,
            outstanding_per_source=settings.rate_limit_outstanding_per_source if settings.rate_limits else None,
            outstanding_total=settings.rate_limit_outstanding_total,
            fingerprint=base64url.encode(sha256("\n".join(places).encode()).digest()[:12]),
        )

    def expected(self, challenge_hash: bytes, *, require_user_verification: bool) -> Expected:
        """What the answer to a challenge is compared with."""
        return Expected(
            challenge_hash=challenge_hash,
            origins=self.origins,
            top_origins=self.top_origins,
            rp_id=self.rp_id,
            require_user_verification=require_user_verification,
        )

    def creation_options(
        self,
        challenge: bytes,
        user_handle: bytes,
        *,
        email: str,
        display_name: str,
        exclude: Sequence[tuple[bytes, Sequence[str]]] = (),
    ) -> dict[str, Any]:
        """PublicKeyCredentialCreationOptionsJSON (section 5.1.8).

        exclude  id and transports of each credential that the user has already; only for a signed-in user, because it
                 tells anyone else which credentials an account has. With them a platform authenticator is not asked
                 for: the one of this device is among them, and on localhost no other device is reached
        """
        selection = {"residentKey": "preferred", "userVerification": self.user_verification}
        if self.attachment is not None and not (exclude and self.attachment == "platform"):
            selection["authenticatorAttachment"] = self.attachment
        return {
            "challenge": base64url.encode(challenge),
            "rp": {"id": self.rp_id, "name": self.rp_name},
            "user": {"id": base64url.encode(user_handle), "name": email, "displayName": display_name},
            "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in self.algorithms],
            "authenticatorSelection": selection,
            "attestation": "none",
            "timeout": TIMEOUT_MILLISECONDS,
            "excludeCredentials": [
                {"type": "public-key", "id": base64url.encode(item), "transports": list(transports)}
                for item, transports in exclude
            ],
        }

    def request_options(self, challenge: bytes, credential_ids: Iterable[bytes]) -> dict[str, Any]:
        """PublicKeyCredentialRequestOptionsJSON (section 5.1.9). Transports are left out: decoys have none (D-3)."""
        return {
            "challenge": base64url.encode(challenge),
            "rpId": self.rp_id,
            "allowCredentials": [{"type": "public-key", "id": base64url.encode(item)} for item in credential_ids],
            "userVerification": self.user_verification,
            "timeout": TIMEOUT_MILLISECONDS,
        }
