"""Passkeys after their registration: listed, renamed and removed by their owner, by admins and by operators."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.errors import LastCredential, NotFound
from authctl.server.accounts import credential_events
from authctl.server.accounts.access import Rejected, read_or_count
from authctl.server.accounts.account_events import Reason
from authctl.server.accounts.administration import user_with
from authctl.server.accounts.credential_access import LOOK, REMOVE, RENAME, admit
from authctl.server.audit.recorder import record
from authctl.server.storage.rows import make
from authctl.server.storage.tables import WebauthnCredential

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable
    from typing import TypeVar

    from authctl.server.accounts.access import Identity
    from authctl.server.accounts.credential_access import Admitted
    from authctl.server.accounts.credential_events import Attempt
    from authctl.server.accounts.rejections import Rejections
    from authctl.server.audit.events import Caller
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction
    from authctl.server.tokens.verifying import Claims, Verifier

    T = TypeVar("T")

ENDED_BY_REMOVAL: Final = "credential_removed"


@dataclass(frozen=True, slots=True)
class Removed:
    """A passkey that lets nobody in any more, and how many sessions that it had opened were ended."""

    credential: WebauthnCredential
    sessions_ended: int


class Credentials:
    """Every answer over HTTP, also a refusal, leaves its event before it is given.

    `user_id` is the owner's, None for the one who asks. All but the owner and admins are refused with NotAuthenticated,
    TokenRejected or AccessDenied; admins learn by NotFound that there is no such user. A passkey that is unknown,
    another user's or removed is NotFound alike.
    """

    def __init__(self, database: Database, verifier: Verifier, rejections: Rejections) -> None:
        self._database = database
        self._verifier = verifier
        self._rejections = rejections

    async def require_token(self, bearer: str | None, user_id: str | None, attempt: Attempt, caller: Caller) -> str:
        """Whose token it is; what it is worth is not asked.

        Turns away who brings none of ours, before anything else is looked at: raises NotAuthenticated or TokenRejected.
        """
        claims = read_or_count(self._verifier, self._rejections, bearer, caller)
        if isinstance(claims, Rejected):
            event = credential_events.rejected(claims, attempt, user_id, caller)
            await self._database.write(partial(record, event=event))
            raise claims.error
        return claims.subject

    async def list(self, bearer: str | None, user_id: str | None, caller: Caller) -> builtins.list[WebauthnCredential]:
        """What a user can log in with, oldest first."""
        return await self._manage(bearer, user_id, LOOK, caller, partial(_list, caller=caller))

    async def rename(
        self, bearer: str | None, user_id: str | None, credential_id: str, name: str, caller: Caller
    ) -> WebauthnCredential:
        """Gives a passkey another name, which the edge has checked."""
        act = partial(_rename, credential_id=credential_id, name=name, caller=caller)
        return await self._manage(bearer, user_id, RENAME, caller, act)

    async def remove(self, bearer: str | None, user_id: str | None, credential_id: str, caller: Caller) -> Removed:
        """Ends a passkey and the sessions that it opened.

        Raises LoginTooOld unless whoever asks has just logged in, and LastCredential for a user's only one.
        """
        return await self._manage(
            bearer, user_id, REMOVE, caller, partial(_remove_for, credential_id=credential_id, caller=caller)
        )

    async def of_email(self, typed: str, *, with_removed: bool = False) -> builtins.list[WebauthnCredential]:
        """The passkeys of the user with an e-mail as somebody typed it, oldest first. Raises NotFound."""
        return await self._database.read(partial(_of_email, typed=typed, with_removed=with_removed))

    async def find(self, typed: str, which: str) -> WebauthnCredential:
        """One of them, by either of its ids. Raises NotFound."""
        return await self._database.read(lambda tx: _named(tx, user_with(tx, typed), typed, which))

    async def remove_as_operator(self, typed: str, which: str, caller: Caller) -> Removed:
        """Ends one of them. Raises NotFound, and LastCredential for the only one."""
        outcome = await self._database.write(partial(_remove_named, typed=typed, which=which, caller=caller))
        return _unless_refused(outcome)

    async def _manage(
        self,
        bearer: str | None,
        user_id: str | None,
        attempt: Attempt,
        caller: Caller,
        act: Callable[[Transaction, Admitted], T | Exception],
    ) -> T:
        claims = read_or_count(self._verifier, self._rejections, bearer, caller)
        unit = partial(_managed, claims=claims, user_id=user_id, attempt=attempt, caller=caller, act=act)
        return _unless_refused(await self._database.write(unit))


def _managed(
    tx: Transaction,
    *,
    claims: Claims | Rejected,
    user_id: str | None,
    attempt: Attempt,
    caller: Caller,
    act: Callable[[Transaction, Admitted], T | Exception],
) -> T | Exception:
    admitted = admit(tx, claims, user_id, attempt, caller)
    return admitted if isinstance(admitted, Exception) else act(tx, admitted)


def _list(tx: Transaction, admitted: Admitted, *, caller: Caller) -> list[WebauthnCredential]:
    record(tx, credential_events.seen(admitted.identity, admitted.owner, caller))
    return tx.credentials.live_of_user(admitted.owner.id)


def _rename(
    tx: Transaction, admitted: Admitted, *, credential_id: str, name: str, caller: Caller
) -> WebauthnCredential | NotFound:
    identity, owner = admitted.identity, admitted.owner
    found = _with_id(tx.credentials.live_of_user(owner.id), credential_id)
    if found is None:
        return _unknown(tx, admitted, RENAME, credential_id, caller)
    tx.credentials.rename(found.id, name)
    record(tx, credential_events.renamed(found, name, owner, identity, caller))
    return _as_changed(found, name=name)


def _remove_for(
    tx: Transaction, admitted: Admitted, *, credential_id: str, caller: Caller
) -> Removed | NotFound | LastCredential:
    live = tx.credentials.live_of_user(admitted.owner.id)
    found = _with_id(live, credential_id)
    if found is None:
        return _unknown(tx, admitted, REMOVE, credential_id, caller)
    return _remove(tx, found, live, admitted.owner, admitted.identity, caller)


def _remove_named(tx: Transaction, *, typed: str, which: str, caller: Caller) -> Removed | LastCredential:
    # Held before its passkeys are read: of two that remove at once, the second sees what the first has left.
    owner = user_with(tx, typed)
    tx.users.hold(owner.id)
    found = _named(tx, owner, typed, which)
    return _remove(tx, found, tx.credentials.live_of_user(owner.id), owner, None, caller)


def _remove(
    tx: Transaction,
    credential: WebauthnCredential,
    live: list[WebauthnCredential],
    owner: User,
    identity: Identity | None,
    caller: Caller,
) -> Removed | LastCredential:
    if len(live) == 1:
        reason = Reason.LAST_CREDENTIAL
        record(tx, credential_events.refused(identity, owner, REMOVE, reason, caller, which=credential.id))
        return LastCredential(hint=f"`authctl users disable {owner.email}` locks the account instead")
    tx.credentials.remove(credential.id, tx.now)
    ended = tx.sessions.end_all_of_credential(owner.id, credential.id, ENDED_BY_REMOVAL)
    record(tx, credential_events.removed(credential, ended, owner, identity, caller))
    return Removed(_as_changed(credential, removed_at=tx.now), ended)


def _unknown(tx: Transaction, admitted: Admitted, attempt: Attempt, credential_id: str, caller: Caller) -> NotFound:
    reason = Reason.UNKNOWN_CREDENTIAL
    event = credential_events.refused(admitted.identity, admitted.owner, attempt, reason, caller, which=credential_id)
    record(tx, event)
    return NotFound()


def _of_email(tx: Transaction, *, typed: str, with_removed: bool) -> list[WebauthnCredential]:
    user = user_with(tx, typed)
    return tx.credentials.of_user(user.id) if with_removed else tx.credentials.live_of_user(user.id)


def _named(tx: Transaction, owner: User, typed: str, which: str) -> WebauthnCredential:
    looked_up = which.strip().rstrip("=")
    found = next((one for one in tx.credentials.live_of_user(owner.id) if looked_up in _ids_of(one)), None)
    if found is None:
        raise NotFound(f"{typed} has no passkey {which}", hint=f"authctl users passkeys {typed} shows them")
    return found


def _ids_of(credential: WebauthnCredential) -> tuple[str, str]:
    return credential.id, urlsafe_b64encode(credential.credential_id).rstrip(b"=").decode()


def _with_id(credentials: list[WebauthnCredential], credential_id: str) -> WebauthnCredential | None:
    return next((one for one in credentials if one.id == credential_id), None)


def _as_changed(credential: WebauthnCredential, **changes: object) -> WebauthnCredential:
    """The row as it is after a change; rows from the database are for reading only."""
    return make(WebauthnCredential, **{**credential.__dict__, **changes})


def _unless_refused(outcome: T | Exception) -> T:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
