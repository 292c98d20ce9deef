"""The client: does what a browser does between a page and an authenticator (WebAuthn Level 3 §5.1.3 and §5.1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.authenticator.gesture import CONFIRMED
from authctl.virtual_authenticator.authenticator.get_assertion import GetAssertionRequest
from authctl.virtual_authenticator.authenticator.make_credential import MakeCredentialRequest
from authctl.virtual_authenticator.client.client_data import CREATE, GET, ClientData, hash_of
from authctl.virtual_authenticator.client.conveyance import conveyed
from authctl.virtual_authenticator.client.extensions.plan import Context
from authctl.virtual_authenticator.client.extensions.table import plan_create, plan_get
from authctl.virtual_authenticator.client.options import parse_creation_options, parse_request_options
from authctl.virtual_authenticator.client.related_origins import require_related
from authctl.virtual_authenticator.client.responses import authentication_response, registration_response
from authctl.virtual_authenticator.client.rp_id import is_domain, parse_origin, require_rp_id_for
from authctl.virtual_authenticator.errors import CredentialExcluded, NotAllowed, OriginNotAllowed

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.client.extensions.table import GetPlans
    from authctl.virtual_authenticator.client.options import CreationOptions, OptionsInput, RequestOptions
    from authctl.virtual_authenticator.client.related_origins import RelatedOrigins
    from authctl.virtual_authenticator.client.rp_id import Origin


_TRANSPORTS: Final = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})
_ATTACHMENT_OF_HINT: Final = {
    "security-key": "cross-platform",
    "hybrid": "cross-platform",
    "client-device": "platform",
}


class Client:
    """Stands for the browser on one page.

    origin      where the page is, for example https://login.example.com
    top_origin  the origin of the page around a frame; the client data then says so
    gesture     what the user does unless a call says otherwise

    related_origins  the document of /.well-known/webauthn of RP ids of other sites, or what fetches it by its URL
    """

    def __init__(
        self,
        authenticator: VirtualAuthenticator,
        origin: str,
        *,
        is_cross_origin: bool = False,
        top_origin: str | None = None,
        related_origins: RelatedOrigins | None = None,
        gesture: Gesture = CONFIRMED,
    ) -> None:
        self.authenticator = authenticator
        self.origin: Origin = parse_origin(origin)
        self.gesture = gesture
        self._related_origins = related_origins
        self._top_origin = None if top_origin is None else str(parse_origin(top_origin))
        self._is_cross_origin = is_cross_origin or top_origin is not None

    def __repr__(self) -> str:
        return f"<Client at {self.origin}>"

    def create(
        self, options: OptionsInput, *, gesture: Gesture | None = None, attestation: str | None = None
    ) -> dict[str, Any]:
        """Registers: RegistrationResponseJSON for PublicKeyCredentialCreationOptionsJSON.

        `attestation` names the statement format that is made and sent, whatever the server prefers and the model has.
        Raises a subclass of AuthenticatorError where a browser would reject its promise.
        """
        parsed = parse_creation_options(options)
        rp_id = self._rp_id(parsed.rp_id)
        self._require_attachment(parsed)
        resident = self._requires_resident_key(parsed)
        prefers = self.authenticator.profile.prefers_discoverable
        context = Context(self.authenticator, self.origin, is_discoverable=resident or prefers)
        plans = plan_create(parsed.extensions, context)
        self._require_not_excluded(plans.also_excluded(), parsed.exclude, gesture or self.gesture)
        client_data = self._client_data(CREATE, parsed.challenge)
        request = MakeCredentialRequest(
            client_data_hash=hash_of(client_data),
            rp_id=rp_id,
            user=parsed.user,
            algorithms=parsed.algorithms,
            exclude=parsed.exclude,
            requires_resident_key=resident,
            requires_user_verification=self._requires_user_verification(parsed.user_verification),
            attestation_formats=parsed.attestation_formats,
            demanded_format=attestation,
            extensions=plans.inputs(),
        )
        made = self.authenticator.make_credential(request, gesture or self.gesture)
        passed_on = conveyed(made, parsed.attestation if attestation is None else "direct")
        return registration_response(passed_on, client_data, plans.results(made))

    def get(self, options: OptionsInput, *, gesture: Gesture | None = None) -> dict[str, Any]:
        """Logs in: AuthenticationResponseJSON for PublicKeyCredentialRequestOptionsJSON; raises as `create` does."""
        parsed = parse_request_options(options)
        gesture = gesture or self.gesture
        plans = plan_get(parsed.extensions, Context(self.authenticator, self.origin, parsed.allow or ()))
        client_data = self._client_data(GET, parsed.challenge)
        rp_id = self._rp_id(parsed.rp_id)
        request = GetAssertionRequest(
            rp_id=rp_id,
            client_data_hash=hash_of(client_data),
            allow=self._reachable(rp_id, parsed),
            requires_user_verification=self._requires_user_verification(parsed.user_verification)
            or plans.requires_verified(),
        )
        assertion = self.authenticator.get_assertion(self._extended(request, plans, gesture), gesture)
        return authentication_response(assertion, client_data, plans.results(assertion))

    def has_passkey_for(self, options: OptionsInput) -> bool:
        """Whether `get` would find a credential for these options."""
        parsed = parse_request_options(options)
        return bool(self.authenticator.store.candidates(self._rp_id(parsed.rp_id), parsed.allow))

    def _extended(self, request: GetAssertionRequest, plans: GetPlans, gesture: Gesture) -> GetAssertionRequest:
        """The request with what extensions make of it, for which a client looks at the credentials silently."""
        held = self.authenticator.fitting
        for instead in plans.rp_ids_instead():
            # §10.1.1: the AppID counts where the RP id has nothing.
            other = replace(request, rp_id=instead)
            if not held(request, gesture) and held(other, gesture):
                request = other
        if not plans.needs_credential():
            return request
        found = held(request, gesture)
        if not found:
            return request
        # The inputs are for one credential, so no other one may answer.
        return replace(
            request,
            allow=None if request.allow is None else (found[0].credential_id,),
            extensions=plans.inputs(found[0]),
        )

    def _reachable(self, rp_id: str, options: RequestOptions) -> tuple[bytes, ...] | None:
        """The allow list without those that are held here and are not to be reached in the ways that the server names.

        §5.8.4: ways that nobody knows say nothing.
        """
        if options.allow is None or not options.transports:
            return options.allow
        own = {
            held.credential_id: held.transports for held in self.authenticator.store.candidates(rp_id, options.allow)
        }
        named = {each: _TRANSPORTS.intersection(options.transports.get(each, ())) for each in options.allow}
        return tuple(each for each in options.allow if not named[each] or named[each].intersection(own.get(each, ())))

    def _require_not_excluded(self, rp_ids: list[str], exclude: tuple[bytes, ...], gesture: Gesture) -> None:
        for rp_id in rp_ids:
            if self.authenticator.store.candidates(rp_id, exclude):
                # §10.1.2: as with the exclude list itself, the user is asked before the relying party learns anything.
                gesture.require(user_presence=True, user_verification=False)
                raise CredentialExcluded

    def _rp_id(self, named: str | None) -> str:
        # Without an RP id it is the host of the origin.
        rp_id = self.origin.host if named is None else named
        try:
            require_rp_id_for(rp_id, self.origin)
        except OriginNotAllowed:
            # §5.1.3, step 8: another site may be allowed by the RP id's own, if the RP id could be anybody's at all.
            if self._related_origins is None or "." not in rp_id or not is_domain(rp_id):
                raise
            require_related(rp_id, self.origin, self._related_origins)
        return rp_id

    def _client_data(self, ceremony: str, challenge: bytes) -> bytes:
        data = ClientData(ceremony, challenge, str(self.origin), self._is_cross_origin, self._top_origin)
        return data.serialise()

    def _require_attachment(self, options: CreationOptions) -> None:
        own = self.authenticator.profile.attachment
        hinted = {_ATTACHMENT_OF_HINT[hint] for hint in options.hints if hint in _ATTACHMENT_OF_HINT}
        if hinted and options.attachment not in hinted:
            # §5.8.7: hints take precedence, and they refuse nobody.
            return
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
