"""Registration and login by a recipe, step by step as they are reported; the visit sends the requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from authctl.errors import AuthenticatorError, ServerUnreachable
from authctl.virtual_authenticator import base64url
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
from authctl.virtual_authenticator.harness.relying_party import Verdict
from authctl.virtual_authenticator.harness.steps import Done, Step, step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.client.client import Client
    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
    from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit
    from authctl.virtual_authenticator.harness.relying_party import Reaction
    from authctl.virtual_authenticator.harness.steps import Ceremony

_T = TypeVar("_T")
_REGISTER: Final = "register"
_ORIGIN_HINT: Final = "Is that the origin that the server expects? --origin names another"
# All servers on localhost share their RP id, so that the newest passkey may be another one's.
_LOGIN_HINT: Final = f"{_ORIGIN_HINT}; or is the passkey another server's? --passkeys FILE keeps a server's own"
_LOGIN: Final = "login"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A ceremony that the server accepted; what the recipe saved of the answers may be secret."""

    account: Account
    credential_id: str
    rp_id: str
    saved: Mapping[str, Any] = field(repr=False)


def register(
    client: Client, visit: RecipeVisit, *, attestation: str | None = None, gesture: Gesture | None = None
) -> Ceremony[Accepted]:
    """Registers the visit's person with a new passkey; raises CeremonyError, ServerUnreachable or StoreUnusable."""
    options = yield from step(_REGISTER, "begin", _work(lambda: _begun(visit.begin_registration(), client)))
    credential = yield from step(
        _REGISTER,
        "create passkey",
        _work(lambda: _made(client.create(dict(options), attestation=attestation, gesture=gesture))),
    )
    try:
        work = _work(lambda: _judged(visit.finish_registration(credential), client))
        yield from step(_REGISTER, "complete", work)
    except CeremonyRefused:
        # A page would signal the credential as unknown (§5.1.10), and the authenticator would forget it.
        client.authenticator.store.remove(base64url.decode(credential["id"]))
        raise
    return Accepted(visit.account, credential["id"], _rp_id(options, client), visit.values)


def login(client: Client, visit: RecipeVisit, *, reads_profile: bool = False) -> Ceremony[Accepted]:
    """Logs the visit's person in; raises CeremonyError, ServerUnreachable or StoreUnusable.

    reads_profile  afterwards, where the recipe says how
    """
    options = yield from _begin_login(client, visit)
    return (yield from _finish_login(client, visit, options, reads_profile=reads_profile))


def login_registering_first(
    client: Client,
    server: DescribedServer,
    known: Account | None,
    account: Account,
    *,
    attestation: str | None = None,
    reads_profile: bool = False,
) -> Ceremony[Accepted]:
    """Logs in whom the authenticator knows, or registers `account` first where it has no passkey that fits."""
    if known is not None:
        visit = server.visit(known)
        options = yield from _begin_login(client, visit)
        if _is_worth_trying(client, options):
            return (yield from _finish_login(client, visit, options, reads_profile=reads_profile))
        yield Step(_LOGIN, "look for passkey", f"none that the server lists for {known.email}: registering first", 0.0)
    visit = server.visit(account, is_new=True)
    yield from register(client, visit, attestation=attestation, gesture=CONFIRMED)
    return (yield from login(client, visit, reads_profile=reads_profile))


def _begin_login(client: Client, visit: RecipeVisit) -> Ceremony[Mapping[str, Any]]:
    return (yield from step(_LOGIN, "begin", _work(lambda: _begun(visit.begin_login(), client))))


def _finish_login(
    client: Client, visit: RecipeVisit, options: Mapping[str, Any], *, reads_profile: bool
) -> Ceremony[Accepted]:
    assertion = yield from step(_LOGIN, "sign", _work(lambda: _signed(client.get(dict(options)))))
    yield from step(_LOGIN, "complete", _work(lambda: _judged(visit.finish_login(assertion), client, _LOGIN_HINT)))
    if reads_profile and visit.has_profile:
        yield from step(_LOGIN, "read profile", _work(lambda: _judged(visit.read_profile(), client)))
    return Accepted(visit.account, assertion["id"], _rp_id(options, client), visit.values)


def _begun(options: Mapping[str, Any], client: Client) -> Done[Mapping[str, Any]]:
    rp_id = _rp_id(options, client)
    return Done(options, f"options for RP id {rp_id}", {"rp_id": rp_id, "options": dict(options)})


def _made(response: dict[str, Any]) -> Done[dict[str, Any]]:
    algorithm = algorithm_of(response["response"]["publicKeyAlgorithm"])
    facts = {"algorithm": algorithm.identifier, "format": format_of(response), "credential_id": response["id"]}
    return Done(response, f"passkey {response['id'][:12]}…, {algorithm.name}, attestation {facts['format']}", facts)


def _signed(response: dict[str, Any]) -> Done[dict[str, Any]]:
    return Done(response, f"passkey {response['id'][:12]}…", {"credential_id": response["id"]})


def _judged(reaction: Reaction, client: Client, hint: str = _ORIGIN_HINT) -> Done[Reaction]:
    if reaction.verdict is Verdict.ACCEPTED:
        return Done(reaction, f"accepted with {reaction.status}", {"status": reaction.status})
    said = f"{reaction.status} {reaction.reason}".strip()
    match reaction.verdict:
        case Verdict.REFUSED:
            raise CeremonyRefused(f"The server refused: {said}. Sent origin {client.origin}", hint=hint)
        case Verdict.CRASHED if reaction.status == 0:
            raise ServerUnreachable(reaction.reason)
        case Verdict.CRASHED:
            raise UnexpectedAnswer(f"The server failed with {said}")
        case _:
            hint = "`accept` and `reject` in the recipe say what answers mean"
            raise UnexpectedAnswer(f"The recipe does not say what this answer means: {said}", hint=hint)


def _is_worth_trying(client: Client, options: Mapping[str, Any]) -> bool:
    try:
        return client.has_passkey_for(dict(options))
    except StoreUnusable:
        raise
    except AuthenticatorError:
        # Whatever is wrong with the options, signing says it as a step of its own.
        return True


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


def _rp_id(options: Mapping[str, Any], client: Client) -> str:
    entity = options.get("rp")
    found = entity.get("id") if isinstance(entity, dict) else options.get("rpId")
    return found if isinstance(found, str) else client.origin.host
