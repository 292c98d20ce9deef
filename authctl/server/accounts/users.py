"""Users: what a signed-in person may see over HTTP, and what an operator does at the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from authctl.errors import AccessDenied, NotFound, Refused
from authctl.server.accounts import account_events, administration
from authctl.server.accounts.access import Rejected, identify, read_or_count, target_of
from authctl.server.accounts.rejections import Rejections
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    import builtins

    from authctl.server.accounts.access import Refusal
    from authctl.server.audit.events import Caller
    from authctl.server.storage.database import Database
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction
    from authctl.server.tokens.verifying import Claims, Verifier


class Users:
    """Every answer, also a refusal, leaves its event before it is given; only floods of bad tokens are counted."""

    def __init__(self, database: Database, verifier: Verifier, rejections: Rejections | None = None) -> None:
        self._database = database
        self._verifier = verifier
        self._rejections = rejections or Rejections(database.clock)

    async def show(self, bearer: str | None, user_id: str, caller: Caller) -> User:
        """The user with this id, for themselves and for admins.

        Raises NotAuthenticated, TokenRejected, AccessDenied for everybody else, whether the id exists or not, and
        NotFound for admins alone.
        """
        return await self._access(bearer, user_id, caller)

    async def me(self, bearer: str | None, caller: Caller) -> User:
        """The user that the token belongs to. Raises NotAuthenticated or TokenRejected."""
        return await self._access(bearer, None, caller)

    async def tell_floods(self, *, everything: bool = False) -> None:
        """Writes down how many requests without a usable token were only counted; at a stop, also of this minute."""
        for flood in self._rejections.take_floods(everything=everything):
            await self._database.write(partial(record, event=account_events.flooded(flood)))

    async def list(self) -> builtins.list[User]:
        """Everyone, in the order of registration."""
        return await self._database.read(lambda tx: tx.users.all())

    async def find(self, email: str) -> User:
        """The user with an e-mail as somebody typed it. Raises NotFound."""
        return await self._database.read(partial(administration.user_with, typed=email))

    async def disable(self, email: str, caller: Caller, *, allow_no_admin: bool = False) -> User:
        """Locks a user out, from their next request on. Raises NotFound, and Refused for the last admin."""
        unit = partial(administration.disable, typed=email, caller=caller, allow_no_admin=allow_no_admin)
        return _unless_refused(await self._database.write(unit))

    async def enable(self, email: str, caller: Caller) -> User:
        """Lets a disabled user log in again. Raises NotFound."""
        return await self._database.write(partial(administration.enable, typed=email, caller=caller))

    async def logout(self, email: str, caller: Caller) -> int:
        """Ends all sessions of a user; how many. Their tokens fail from the next request on. Raises NotFound."""
        return await self._database.write(partial(administration.end_sessions, typed=email, caller=caller))

    async def delete(self, email: str, caller: Caller, *, allow_no_admin: bool = False) -> User:
        """Removes all but the trail of a user. Raises NotFound, and Refused for the last admin."""
        unit = partial(administration.delete, typed=email, caller=caller, allow_no_admin=allow_no_admin)
        return _unless_refused(await self._database.write(unit))

    async def _access(self, bearer: str | None, user_id: str | None, caller: Caller) -> User:
        claims = read_or_count(self._verifier, self._rejections, bearer, caller)
        outcome = await self._database.write(partial(_answer, claims=claims, user_id=user_id, caller=caller))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def _answer(tx: Transaction, *, claims: Claims | Rejected, user_id: str | None, caller: Caller) -> User | Refusal:
    identity = identify(tx, claims)
    if isinstance(identity, Rejected):
        record(tx, account_events.rejected(identity, user_id, caller))
        return identity.error
    target_id = identity.user.id if user_id is None else user_id
    target = target_of(tx, identity, target_id)
    if isinstance(target, AccessDenied | NotFound):
        record(tx, account_events.refused(identity, target, target_id, caller))
        return target
    record(tx, account_events.accessed(identity, target, caller))
    return target


def _unless_refused(outcome: User | Refused) -> User:
    if isinstance(outcome, Refused):
        raise outcome
    return outcome
