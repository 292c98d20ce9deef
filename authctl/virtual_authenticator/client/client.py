"""The client: does what a browser does between a page and an authenticator (WebAuthn Level 3 §5.1.3 and §5.1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.authenticator.gesture import CONFIRMED
from authctl.virtual_authenticator.authenticator.get_assertion import GetAssertionRequest
from authctl.virtual_authenticator.authenticator.make_credential import MakeCredentialRequest
from authctl.virtual_authenticator.client.client_data import CREATE, GET, ClientData, hash_of
from authctl.virtual_authenticator.client.conveyance import conveyed
from authctl.virtual_authenticator.client.options import parse_creation_options, parse_request_options
from authctl.virtual_authenticator.client.responses import authentication_response, registration_response
from authctl.virtual_authenticator.client.rp_id import parse_origin, require_rp_id_for
from authctl.virtual_authenticator.errors import NotAllowed

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.client.options import CreationOptions, OptionsInput
    from authctl.virtual_authenticator.client.rp_id import Origin


class Client:
    """Stands for the browser on one page.

    origin      where the page is, for example https://login.example.com
    top_origin  the origin of the page around a frame; the client data then says so
    gesture     what the user does unless a call says otherwise
    """

    def __init__(
        self,
        authenticator: VirtualAuthenticator,
        origin: str,
        *,
        is_cross_origin: bool = False,
        top_origin: str | None = None,
        gesture: Gesture = CONFIRMED,
    ) -> None:
        self.authenticator = authenticator
        self.origin: Origin = parse_origin(origin)
        self.gesture = gesture
        self._top_origin = None if top_origin is None else str(parse_origin(top_origin))
        self._is_cross_origin = is_cross_origin or top_origin is not None

    def __repr__(self) -> str:
        return f"<Client at {self.origin}>"

    def create(
        self, options: OptionsInput, *, gesture: Gesture | None = None, attestation: str | None = None
    ) -> dict[str, Any]:
        """Registers: RegistrationResponseJSON for PublicKeyCredentialCreationOptionsJSON.

        `attestation` sends that statement format whatever the server prefers. Raises a subclass of AuthenticatorError
        where a browser would reject its promise.
        """
        parsed = parse_creation_options(options)
        rp_id = self._rp_id(parsed.rp_id)
        self._require_attachment(parsed)
        client_data = self._client_data(CREATE, parsed.challenge)
        formats = parsed.attestation_formats if attestation is None else (attestation,)
        request = MakeCredentialRequest(
            client_data_hash=hash_of(client_data),
            rp_id=rp_id,
            user=parsed.user,
            algorithms=parsed.algorithms,
            exclude=parsed.exclude,
            requires_resident_key=self._requires_resident_key(parsed),
            requires_user_verification=self._requires_user_verification(parsed.user_verification),
            attestation_formats=formats,
        )
        made = self.authenticator.make_credential(request, gesture or self.gesture)
        return registration_response(
            conveyed(made, parsed.attestation if attestation is None else "direct"), client_data
        )

    def get(self, options: OptionsInput, *, gesture: Gesture | None = None) -> dict[str, Any]:
        """Logs in: AuthenticationResponseJSON for PublicKeyCredentialRequestOptionsJSON; raises as `create` does."""
        parsed = parse_request_options(options)
        client_data = self._client_data(GET, parsed.challenge)
        request = GetAssertionRequest(
            rp_id=self._rp_id(parsed.rp_id),
            client_data_hash=hash_of(client_data),
            allow=parsed.allow,
            requires_user_verification=self._requires_user_verification(parsed.user_verification),
        )
        assertion = self.authenticator.get_assertion(request, gesture or self.gesture)
        return authentication_response(assertion, client_data)

    def has_passkey_for(self, options: OptionsInput) -> bool:
        """Whether `get` would find a credential for these options."""
        parsed = parse_request_options(options)
        return bool(self.authenticator.store.candidates(self._rp_id(parsed.rp_id), parsed.allow))

    def _rp_id(self, named: str | None) -> str:
        # Without an RP id it is the host of the origin.
        rp_id = self.origin.host if named is None else named
        require_rp_id_for(rp_id, self.origin)
        return rp_id

    def _client_data(self, ceremony: str, challenge: bytes) -> bytes:
        data = ClientData(ceremony, challenge, str(self.origin), self._is_cross_origin, self._top_origin)
        return data.serialise()

    def _require_attachment(self, options: CreationOptions) -> None:
        own = self.authenticator.profile.attachment
        if options.attachment not in (None, own):
            raise NotAllowed(
                f"The server wants a {options.attachment} authenticator, and this one is {own}",
                hint="Choose another --preset, or set AUTHENTICATOR_ATTACHMENT=any on the server",
            )

    def _requires_resident_key(self, options: CreationOptions) -> bool:
        # §5.1.3: preferred means required of those that can.
        can = self.authenticator.profile.can_store_discoverable
        return options.resident_key == "required" or (options.resident_key == "preferred" and can)

    def _requires_user_verification(self, wish: str) -> bool:
        # What is only preferred is left to the gesture: its flag says what happened.
        return wish == "required"
