"""Registration and login against authctl's HTTP interface, step by step, with every answer checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from authctl.errors import AuthenticatorError
from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData
from authctl.virtual_authenticator.authenticator.gesture import CONFIRMED
from authctl.virtual_authenticator.authenticator.keys import algorithm_of
from authctl.virtual_authenticator.client.responses import format_of
from authctl.virtual_authenticator.errors import (
    CeremonyRefused,
    ClientRefused,
    NoCredential,
    NoPasskey,
    StoreUnusable,
    UnexpectedAnswer,
)
from authctl.virtual_authenticator.harness.answers import require_json
from authctl.virtual_authenticator.harness.steps import Done, Step, ask, step
from authctl.virtual_authenticator.harness.tokens import claims_of
from authctl.virtual_authenticator.harness.transport import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.client.client import Client
    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.steps import Ceremony

_T = TypeVar("_T")

_REGISTER: Final = "register"
_LOGIN: Final = "login"
# The end of the year 9999, where calendars of programs end.
_LATEST: Final = 253402300800


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration that succeeded."""

    user: dict[str, Any]
    credential_id: str
    rp_id: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that succeeded; the token is a secret."""

    user: dict[str, Any]
    access_token: str
    claims: dict[str, Any]
    credential_id: str
    rp_id: str

    def __repr__(self) -> str:
        return f"<LoggedIn {self.user.get('email')}>"


def register(
    client: Client, account: Account, *, attestation: str | None = None, gesture: Gesture | None = None
) -> Ceremony[Registered]:
    """Registers the account with a new passkey; raises CeremonyError, ServerUnreachable or StoreUnusable."""
    options = yield from step(_REGISTER, "begin", _begin("/register/begin", account.profile(), client))
    rp_id = _rp_id(options["publicKey"].get("rp"), client)
    credential = yield from step(
        _REGISTER,
        "create passkey",
        _work(lambda: _created(client.create(options, attestation=attestation, gesture=gesture))),
    )
    body = {"email": account.email, "credential": credential}
    try:
        user = yield from step(_REGISTER, "complete", _complete_registration(body, client, rp_id))
    except CeremonyRefused:
        # A page would signal the credential as unknown (§5.1.10), and the authenticator would forget it.
        client.authenticator.store.remove(base64url.decode(credential["id"]))
        raise
    return Registered(user, credential["id"], rp_id)


def login(client: Client, email: str | None) -> Ceremony[LoggedIn]:
    """Logs in, with the e-mail or with whatever passkey the authenticator has; checks token and profile.

    Raises CeremonyError, ServerUnreachable or StoreUnusable; NoPasskey when the authenticator has none that fits.
    """
    options = yield from _begin_login(client, email)
    return (yield from _finish_login(client, email, options))


def login_registering_first(
    client: Client, account: Account, *, email: str | None = None, attestation: str | None = None
) -> Ceremony[LoggedIn]:
    """Logs in with `email`, or registers `account` first when the authenticator has no passkey that the server lists.

    Without `email` the account is registered in any case, with an ordinary gesture: the client's own is for the login.
    """
    if email is not None:
        options = yield from _begin_login(client, email)
        if _is_worth_trying(client, options):
            return (yield from _finish_login(client, email, options))
        yield Step(_LOGIN, "look for passkey", f"none that the server lists for {email}: registering first", 0.0)
    yield from register(client, account, attestation=attestation, gesture=CONFIRMED)
    return (yield from login(client, account.email))


def _begin_login(client: Client, email: str | None) -> Ceremony[dict[str, Any]]:
    return (yield from step(_LOGIN, "begin", _begin("/login/begin", _named(email), client)))


def _finish_login(client: Client, email: str | None, options: dict[str, Any]) -> Ceremony[LoggedIn]:
    rp_id = _rp_id(options["publicKey"], client, "rpId")
    assertion = yield from step(_LOGIN, "sign", _work(lambda: _signed(client.get(options))))
    body = {**_named(email), "assertion": assertion}
    answer = yield from step(_LOGIN, "complete", _complete_login(body, client, rp_id))
    token, user = answer["access_token"], answer["user"]
    claims = yield from step(_LOGIN, "check token", _work(lambda: _checked_claims(token, user)))
    profile = yield from step(_LOGIN, "read profile", _read_profile(token, user, client, rp_id))
    return LoggedIn(profile, token, claims, assertion["id"], rp_id)


def _named(email: str | None) -> dict[str, str]:
    return {} if email is None else {"email": email}


def _is_worth_trying(client: Client, options: dict[str, Any]) -> bool:
    try:
        return client.has_passkey_for(options)
    except StoreUnusable:
        raise
    except AuthenticatorError:
        # Whatever is wrong with the options, signing says it as a step of its own.
        return True


def _begin(path: str, body: dict[str, str], client: Client) -> Ceremony[Done[dict[str, Any]]]:
    answer = yield from ask(Request("POST", path, body))
    options = require_json(answer, 200, sent=_sent(client, None))
    public_key = options.get("publicKey")
    if not isinstance(public_key, dict):
        raise UnexpectedAnswer(f"The answer to POST {path} has no publicKey options")
    rp_id = public_key.get("rpId") or _rp_id(public_key.get("rp"), client)
    facts = {"status": answer.status, "rp_id": rp_id, "options": public_key}
    return Done(options, f"options for RP id {rp_id}", facts)


def _complete_registration(body: dict[str, Any], client: Client, rp_id: str) -> Ceremony[Done[dict[str, Any]]]:
    answer = yield from ask(Request("POST", "/register/complete", body))
    user = require_json(answer, 201, sent=_sent(client, rp_id))
    _require_user(user, body["email"])
    return Done(user, f"user {user['id']} is registered", {"status": answer.status, "user": user})


def _complete_login(body: dict[str, Any], client: Client, rp_id: str) -> Ceremony[Done[dict[str, Any]]]:
    answer = yield from ask(Request("POST", "/login/complete", body))
    token = require_json(answer, 200, sent=_sent(client, rp_id))
    user, lifetime = token.get("user"), token.get("expires_in")
    if not isinstance(token.get("access_token"), str) or str(token.get("token_type")).lower() != "bearer":
        raise UnexpectedAnswer("The answer to the login has no bearer token")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int) or lifetime <= 0:
        raise UnexpectedAnswer("The answer to the login does not say how long the token lives")
    _require_user(user, body.get("email"))
    return Done(token, f"a token for {lifetime} s", {"status": answer.status, "expires_in": lifetime, "user": user})


def _checked_claims(token: str, user: dict[str, Any]) -> Done[dict[str, Any]]:
    header, claims = claims_of(token)
    if claims.get("sub") != user["id"]:
        raise UnexpectedAnswer("The token is not for the user who logged in")
    expiry, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expiry, int) or not isinstance(issued, int) or not issued < expiry < _LATEST:
        raise UnexpectedAnswer("The token does not expire")
    facts = {"header": header, "claims": claims}
    return Done(claims, f"{header['alg']}, role {claims.get('role')}, for user {claims['sub']}", facts)


def _read_profile(token: str, user: dict[str, Any], client: Client, rp_id: str) -> Ceremony[Done[dict[str, Any]]]:
    answer = yield from ask(
        Request("GET", "/users/" + quote(user["id"], safe=""), headers={"Authorization": f"Bearer {token}"})
    )
    profile = require_json(answer, 200, sent=_sent(client, rp_id))
    _require_user(profile, user["email"])
    if profile["id"] != user["id"]:
        raise UnexpectedAnswer("The profile is not that of the user who logged in")
    return Done(profile, f"{profile['email']}, role {profile.get('role')}", {"status": answer.status, "user": profile})


def _created(response: dict[str, Any]) -> Done[dict[str, Any]]:
    algorithm = response["response"]["publicKeyAlgorithm"]
    facts = {"algorithm": algorithm, "format": format_of(response), **_facts(response)}
    words = (algorithm_of(algorithm).name, facts["flags"], f"attestation {facts['format']}")
    return Done(response, f"passkey {response['id'][:12]}…, {', '.join(words)}", facts)


def _signed(response: dict[str, Any]) -> Done[dict[str, Any]]:
    facts = _facts(response)
    return Done(response, f"passkey {response['id'][:12]}…, count {facts['sign_count']}, {facts['flags']}", facts)


def _facts(response: dict[str, Any]) -> dict[str, Any]:
    data = AuthenticatorData(base64url.decode(response["response"]["authenticatorData"]))
    flags = "+".join(str(flag.name) for flag in data.flags)
    return {"credential_id": response["id"], "sign_count": data.sign_count, "flags": flags}


def _work(work: Callable[[], Done[_T]]) -> Ceremony[Done[_T]]:
    try:
        return work()
    except StoreUnusable:
        # The trouble is on this side, and no answer of the server's.
        raise
    except NoCredential as error:
        raise NoPasskey(error.detail, hint=error.hint) from error
    except AuthenticatorError as error:
        raise ClientRefused(error.detail, hint=error.hint) from error
    yield  # a generator without requests


def _require_user(user: object, email: str | None) -> None:
    if not isinstance(user, dict) or not isinstance(user.get("id"), str) or not isinstance(user.get("email"), str):
        raise UnexpectedAnswer("The server's answer has no user with id and e-mail")
    if email is not None and user["email"].casefold() != email.strip().casefold():
        raise UnexpectedAnswer(f"The server answered for another user: {user['email']}")


def _rp_id(holder: object, client: Client, name: str = "id") -> str:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else client.origin.host


def _sent(client: Client, rp_id: str | None) -> str:
    return f"Sent origin {client.origin}" + (f" and RP id {rp_id}" if rp_id else "")
