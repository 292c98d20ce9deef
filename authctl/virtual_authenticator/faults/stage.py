"""Where cases are played: a server with what a harness can do there, and the people who visit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from authctl.errors import AuthctlError
from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.keys import algorithm_named
from authctl.virtual_authenticator.authenticator.presets import preset
from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.client.client import Client
from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.faults.certified import CERTIFIED
from authctl.virtual_authenticator.faults.drafts import AssertionDraft, Flag, RegistrationDraft
from authctl.virtual_authenticator.faults.key_pool import KeyPool, KeysOfCase

if TYPE_CHECKING:
    from types import TracebackType

    from authctl.virtual_authenticator.authenticator.gesture import Gesture
    from authctl.virtual_authenticator.faults.needs import Needs
    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.relying_party import Reaction, RelyingParty, Visit

Ability: TypeAlias = Callable[["Visit", Any], "Reaction | None"]
"""Does something beside the ceremonies for the person of a visit. `second-passkey` is given the credential and returns
the reaction to it, `expiry` the options whose time is to pass, `delete-passkey` the credential; others get None."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A server under test and what the harness can do there.

    capabilities  of CAPABILITIES, those that need nothing done or are configured at the server
    abilities     of CAPABILITIES, those that take a function
    related       an origin that the server lists as related
    authority     whose root the server may have been told
    keys          that cases have in common
    """

    relying_party: RelyingParty
    capabilities: frozenset[str] = frozenset()
    abilities: Mapping[str, Ability] = field(default_factory=dict)
    related: str = ""
    authority: Authority = field(default_factory=Authority)
    keys: KeyPool = field(default_factory=KeyPool)

    def lacks(self, needs: Needs) -> str:
        """The first capability that is needed and not there; empty when nothing is lacking."""
        return next((name for name in sorted(needs.can) if not self.can(name)), "")

    def can(self, name: str) -> bool:
        """Whether a capability is there."""
        return name in self.capabilities or name in self.abilities


class Person:
    """Somebody with an account of their own, a passkey and a browser."""

    def __init__(self, lab: Lab, needs: Needs, account: Account | None = None, keys: KeysOfCase | None = None) -> None:
        self.lab = lab
        self.needs = needs
        self.visit: Visit = lab.relying_party.visit(account)
        keys = keys or KeysOfCase(lab.keys)
        profile = replace(preset(needs.preset), algorithms=(algorithm_named(needs.algorithm).identifier,))
        self.authenticator = VirtualAuthenticator(profile, authority=lab.authority, new_key=keys.generate)
        self.client = Client(self.authenticator, lab.relying_party.origin, top_origin=needs.top_origin)

    def make(self, options: Mapping[str, Any] | None = None) -> RegistrationDraft:
        """A valid registration for these or for fresh options, to be altered."""
        options = self.visit.begin_registration() if options is None else options
        given = options.get("authenticatorSelection")
        # The client says what is wrong with one of another shape.
        selection = given if isinstance(given, Mapping) else {}
        self._require_verification(selection.get("userVerification", "preferred"))
        self._attach(selection.get("authenticatorAttachment"))
        wanted = self.needs.attestation or "none"
        certified = CERTIFIED.get(wanted)
        valid = self.client.create(options, attestation="none" if certified else wanted)
        draft = RegistrationDraft.of(valid, options, self.key_of(valid))
        draft.related = self.lab.related
        if certified:
            draft.statement = certified(self.lab.authority, draft)
        return draft

    def register(self) -> tuple[RegistrationDraft, Reaction]:
        """A registration without a fault, and the reaction to it."""
        draft = self.make()
        return draft, self.visit.finish_registration(draft.document())

    def begin_login(self) -> Mapping[str, Any]:
        """Request options, for this user or for whoever comes."""
        return self.visit.begin_login(named=self.needs.is_named)

    def sign(self, options: Mapping[str, Any] | None = None, gesture: Gesture | None = None) -> AssertionDraft:
        """A valid assertion for these or for fresh options, to be altered."""
        options = self.begin_login() if options is None else options
        self._require_verification(options.get("userVerification", "preferred"))
        valid = self.client.get(options, gesture=gesture)
        draft = AssertionDraft.of(valid, options, self.key_of(valid))
        draft.related = self.lab.related
        return draft

    def log_in(self) -> tuple[AssertionDraft, Reaction]:
        """A login without a fault, and the reaction to it."""
        draft = self.sign()
        return draft, self.visit.finish_login(draft.document())

    def log_in_with(self, registered: RegistrationDraft) -> Reaction:
        """The reaction to a login with a credential that a draft registered, under the id and flags that it got."""
        made = self.authenticator.store.all()[0].credential_id
        options = {**self.begin_login(), "allowCredentials": [{"type": "public-key", "id": encode(made)}]}
        draft = self.sign(options)
        draft.private = registered.private
        draft.flags = registered.flags & ~(Flag.AT | Flag.ED)
        if registered.sign_count:
            draft.sign_count = registered.sign_count + 1
        draft.envelope |= {"id": encode(registered.credential_id), "rawId": encode(registered.credential_id)}
        return self.visit.finish_login(draft.document())

    def key_of(self, credential: Mapping[str, Any]) -> Any:
        """The private key of a credential that the authenticator keeps."""
        wanted = decode(credential["rawId"])
        return next(kept.key for kept in self.authenticator.store.all() if kept.credential_id == wanted)

    def add_passkey(self, draft: RegistrationDraft) -> Reaction:
        """Adds a passkey to an account that has one, as the harness can, or by registering again."""
        if "second-passkey" in self.lab.abilities:
            added = self.use("second-passkey", draft.document())
            if added is not None:
                return added
        return self.visit.finish_registration(draft.document())

    def use(self, ability: str, argument: Any = None) -> Reaction | None:
        """Has the harness do something beside the ceremonies."""
        return self.lab.abilities[ability](self.visit, argument)

    def _require_verification(self, asked: str) -> None:
        if self.needs.uv and asked not in self.needs.uv:
            raise NotSupported(f"The options ask for user verification {asked!r}")

    def _attach(self, attachment: object) -> None:
        # The authenticator is as near as the server wants it: where it is, is no case's subject.
        if isinstance(attachment, str):
            self.authenticator.profile = replace(self.authenticator.profile, attachment=attachment)


class Stage:
    """The people of one case; their visits end with it."""

    def __init__(self, lab: Lab, needs: Needs) -> None:
        self.lab = lab
        self.needs = needs
        self._keys = KeysOfCase(lab.keys)
        self._people: list[Person] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._people:
            with suppress(AuthctlError):
                person.visit.close()

    def person(self, account: Account | None = None) -> Person:
        """Somebody new, or somebody with an account in another browser."""
        person = Person(self.lab, self.needs, account, self._keys)
        self._people.append(person)
        return person
