"""prf (WebAuthn Level 3 §10.1.4) on top of hmac-secret, and hmacCreateSecret (CTAP 2.1 §12.5, client part)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.authenticator.authenticator_data import Flag
from authctl.virtual_authenticator.authenticator.extensions.hmac_secret import SALT_BYTES, Salts
from authctl.virtual_authenticator.client.extensions.plan import CreatePlan, GetPlan
from authctl.virtual_authenticator.client.extensions.values import bytes_of, members_of
from authctl.virtual_authenticator.errors import NotSupported, OptionsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData
    from authctl.virtual_authenticator.authenticator.get_assertion import Assertion
    from authctl.virtual_authenticator.authenticator.make_credential import MadeCredential
    from authctl.virtual_authenticator.authenticator.pin_protocol import SharedSecret
    from authctl.virtual_authenticator.client.extensions.plan import Context
    from authctl.virtual_authenticator.credential_store.interface import Credential

_CTAP: Final = "hmac-secret"
_AT_CREATION: Final = "hmac-secret-mc"
_PREFIX: Final = b"WebAuthn PRF\x00"


def salt_of(value: bytes) -> bytes:
    """What becomes of an input before an authenticator sees it: no page can ask for the salts of other programs."""
    return sha256(_PREFIX + value).digest()


def create(value: Any, context: Context) -> CreatePlan:
    """Asks for the secrets, and for values where the authenticator gives some before the first login."""
    members = members_of(value, "prf")
    # Client processing for registration, step 1.
    if "evalByCredential" in members:
        raise NotSupported("prf.evalByCredential is for logins only")
    salts = None if members.get("eval") is None else _salts(members["eval"])
    if salts is None or not context.has(_AT_CREATION):
        return CreatePlan({_CTAP: True}, result=_enabled)
    random, secret = context.authenticator.random, context.authenticator.shared_secret()

    def result(made: MadeCredential) -> object:
        # Only the secret of verified users is used: without verification the values would be others at a login.
        data = made.authenticator_data
        encrypted = _output(data, _AT_CREATION) if data.flags & Flag.UV else None
        return _enabled(made) | ({} if encrypted is None else _results(secret, encrypted))

    encrypted = secret.encrypt(salts, random)
    sent = Salts(secret, encrypted, secret.authenticate(encrypted))
    return CreatePlan({_CTAP: True, _AT_CREATION: sent}, result=result)


def _enabled(made: MadeCredential) -> dict[str, object]:
    return {"enabled": made.credential.extensions.hmac_secrets is not None}


def create_secret(value: Any, context: Context) -> CreatePlan:
    """The older name, hmacCreateSecret."""
    if value is not True:
        return CreatePlan()
    return CreatePlan({_CTAP: True}, result=lambda made: made.credential.extensions.hmac_secrets is not None)


def get(value: Any, context: Context) -> GetPlan:
    """Asks for the values of one or two inputs, which may differ from credential to credential."""
    members = members_of(value, "prf")
    by_credential = _by_credential(members.get("evalByCredential"), context)
    default = None if members.get("eval") is None else _salts(members["eval"])
    if not by_credential and default is None:
        return GetPlan(result=lambda _: {})
    evaluation = _Evaluation(context.authenticator.shared_secret(), by_credential, default, context)
    # Only the secret of verified users is used, whatever the relying party asks.
    return GetPlan(evaluation.inputs, requires_verified=context.has(_CTAP), result=evaluation.result)


class _Evaluation:
    """One evaluation under a secret of its own."""

    def __init__(
        self, secret: SharedSecret, by_credential: Mapping[bytes, bytes], default: bytes | None, context: Context
    ) -> None:
        self._secret = secret
        self._by_credential = by_credential
        self._default = default
        self._context = context

    def inputs(self, credential: Credential) -> dict[str, Any]:
        """The salts for the credential that will answer, encrypted."""
        salts = self._by_credential.get(credential.credential_id, self._default)
        if salts is None:
            return {}
        encrypted = self._secret.encrypt(salts, self._context.authenticator.random)
        return {_CTAP: Salts(self._secret, encrypted, self._secret.authenticate(encrypted))}

    def result(self, assertion: Assertion) -> object:
        """The values, decrypted; an empty object when the authenticator gave none."""
        encrypted = _output(assertion.authenticator_data, _CTAP)
        return {} if encrypted is None else _results(self._secret, encrypted)


def _results(secret: SharedSecret, encrypted: bytes) -> dict[str, object]:
    values = secret.decrypt(encrypted)
    parts = (values[at : at + SALT_BYTES] for at in range(0, len(values), SALT_BYTES))
    return {"results": dict(zip(("first", "second"), map(base64url.encode, parts), strict=False))}


def _output(data: AuthenticatorData, name: str) -> bytes | None:
    found = data.extensions.get(name)
    return found if isinstance(found, bytes) else None


def _salts(values: Any) -> bytes:
    members = members_of(values, "prf.eval")
    first = salt_of(bytes_of(members.get("first"), "prf.eval.first"))
    second = members.get("second")
    return first if second is None else first + salt_of(bytes_of(second, "prf.eval.second"))


def _by_credential(value: Any, context: Context) -> dict[bytes, bytes]:
    members = {} if value is None else members_of(value, "prf.evalByCredential")
    # Client processing for authentication, step 1.
    if members and not context.named:
        raise NotSupported("prf.evalByCredential needs allowCredentials")
    found: dict[bytes, bytes] = {}
    for name, values in members.items():
        # Step 2: every key is the id of a credential that is named.
        credential_id = bytes_of(name, "A key of prf.evalByCredential")
        if credential_id not in context.named:
            raise OptionsInvalid("A key of prf.evalByCredential is not in allowCredentials")
        found[credential_id] = _salts(values)
    return found
