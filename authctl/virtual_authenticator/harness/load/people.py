"""The people of a load: everybody has one browser and one passkey, and does one thing at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.counters import NO_COUNTER
from authctl.virtual_authenticator.authenticator.presets import SYNCED_PASSKEY
from authctl.virtual_authenticator.client.client import Client
from authctl.virtual_authenticator.harness.accounts import Account, throw_away_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.virtual_authenticator.credential_store.interface import Credential
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
    from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit

_PRESET: Final = SYNCED_PASSKEY
"""Without a counter: what was kept in a file before a load is still good after it."""


@dataclass(slots=True)
class Person:
    """Somebody; `is_logged_in` as far as is known."""

    client: Client
    visit: RecipeVisit
    is_logged_in: bool = False


class Crowd:
    """Everybody who comes to one server."""

    def __init__(self, server: DescribedServer) -> None:
        self.server = server
        self._authority = Authority()
        self._free: deque[Person] = deque()
        self._others: deque[Person] = deque()

    def newcomer(self) -> Person:
        """Somebody who has no account yet."""
        return self._person(throw_away_account(), is_new=True)

    def returning(self, credential: Credential) -> Person:
        """The owner of a passkey that was kept."""
        person = self._person(Account(credential.user_name), is_new=False)
        person.client.authenticator.store.add(credential)
        return person

    def take(self) -> Person:
        """Whoever has been free for longest, until `give_back`; there are as many people as workers, or more."""
        return self._free.popleft()

    def give_back(self, person: Person) -> None:
        """Lets somebody act again."""
        self._free.append(person)

    @property
    def passkeys(self) -> tuple[Credential, ...]:
        """Those of everybody who is free."""
        return tuple(found for person in self._free for found in person.client.authenticator.store.all())

    def see_off(self, person: Person) -> None:
        """Somebody has registered and does no more; remembered only where an account can be removed."""
        if self.server.recipe.teardown:
            self._others.append(person)

    def leave(self) -> Iterable[Person]:
        """Everybody, one by one, who has something that can be undone."""
        while self.server.recipe.teardown and (self._free or self._others):
            yield (self._free or self._others).popleft()

    def _person(self, account: Account, *, is_new: bool) -> Person:
        authenticator = VirtualAuthenticator(_PRESET, authority=self._authority)
        client = Client(authenticator, self.server.origin)
        return Person(client, self.server.visit(account, is_new=is_new))


def is_reusable(credential: Credential, host: str) -> bool:
    """Whether a passkey that was kept is for this host, of somebody with a name, and never counted."""
    is_for_host = host == credential.rp_id or host.endswith("." + credential.rp_id)
    return is_for_host and bool(credential.user_name) and credential.counter == NO_COUNTER
