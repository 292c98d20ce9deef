"""A small server that does all it should, but for one check that a test takes away from it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from threading import Condition
from typing import TYPE_CHECKING, Any, Final

import webauthn
from fido2.utils import websafe_decode, websafe_encode
from webauthn.helpers.exceptions import WebAuthnException

from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict
from authctl.virtual_authenticator.json_text import write
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.faults.needs import Needs

CHECKS: Final[dict[str, str]] = {
    "consumed": "a challenge is good for one answer",
    "consumed-by-failure": "an answer that fails uses its challenge up, too",
    "atomic": "of two answers at once, one gets the challenge",
    "expiry": "a challenge is good for some time",
    "issued": "a challenge was issued by the server",
    "own-copy": "the challenge is looked for in the client data and nowhere else",
    "purpose": "a challenge is for one of the ceremonies",
    "session": "a challenge is for the browser that has begun",
    "user": "a challenge is for the name that it was begun with",
    "unique-id": "a credential id is one user's, once",
    "owner": "a passkey opens its owner's account",
    "handle": "a user handle is the owner's",
    "signature": "the signature is that of the passkey",
    "verification": "the user was verified where that is required",
    "listed": "a passkey is one of those that the options list",
    "account": "nobody adds a passkey to somebody else's account",
    "removal": "passkeys and accounts that are gone open nothing",
}
_ORIGIN: Final = "https://example.org"
_RP_ID: Final = "example.org"
_RANDOM: Final = SystemRandom()
_PATIENCE: Final = 10.0
_numbers = count(1)


class Refused(Exception):  # a verdict, and no fault of the program
    """A check says no."""


@dataclass
class Issued:
    """A challenge that is out."""

    is_login: bool
    session: int
    email: str | None
    listed: list[str]
    is_expired: bool = False


@dataclass
class Passkey:
    """A credential that was registered."""

    email: str
    handle: bytes
    key: bytes
    is_gone: bool = False


class LeakyParty:
    """A server without the checks that are `missing`."""

    name = "leaky"
    origin = _ORIGIN

    def __init__(self, needs: Needs, missing: frozenset[str]) -> None:
        self.missing = missing
        self.verification = next(iter(sorted(needs.uv)), "preferred")
        self.issued: dict[bytes, Issued] = {}
        self.passkeys: dict[tuple[str, int], Passkey] = {}
        self.handles: dict[str, bytes] = {}
        self.lock = Condition()
        self.waiting = 0

    def visit(self, account: Account | None = None) -> LeakyVisit:
        """Somebody in a fresh browser."""
        return LeakyVisit(self, account or Account(f"subject-{next(_numbers)}@example.org"), next(_numbers))

    def close(self) -> None:
        """Nothing is kept."""

    def lab(self) -> Lab:
        """The server with all that can be done to it."""
        can = {"usernameless", "named-login", "two-users", "accounts", "another-registration", "second-passkey"}
        gone = dict.fromkeys(("delete-passkey", "disable-user", "delete-user"), self._remove)
        return Lab(self, frozenset(can), {"expiry": self._let_expire, **gone})

    def demand(self, check: str, is_so: bool) -> None:
        """Refuses when a check that is made fails."""
        if check not in self.missing and not is_so:
            raise Refused(check)

    def of(self, email: str) -> list[str]:
        """The ids of somebody's passkeys."""
        return [known for (known, _), one in self.passkeys.items() if one.email == email and not one.is_gone]

    def handle_of(self, email: str) -> bytes:
        """The user handle, made when it is first asked for."""
        return self.handles.setdefault(email, _RANDOM.take(32))

    def take(self, challenge: bytes) -> Issued:
        """What is known of a challenge, which nobody else gets from now on."""
        if "issued" in self.missing and challenge not in self.issued:
            raise LookupError
        found = self.issued.get(challenge)
        if found is None:
            raise Refused("issued")
        if not {"consumed", "atomic"} & self.missing:
            del self.issued[challenge]
        return found

    def end(self, challenge: bytes, issued: Issued, *, has_failed: bool) -> None:
        """Uses a challenge up, unless it is given back."""
        with self.lock:
            if has_failed and "consumed-by-failure" in self.missing:
                self.issued[challenge] = issued
            elif "consumed" not in self.missing:
                self.issued.pop(challenge, None)

    def _let_expire(self, *_: object) -> None:
        for one in self.issued.values():
            one.is_expired = True

    def _remove(self, visit: Any, _: object) -> None:
        if "removal" not in self.missing:
            for one in self.passkeys.values():
                one.is_gone = one.is_gone or one.email == visit.account.email


@dataclass
class LeakyVisit:
    """One browser."""

    party: LeakyParty
    account: Account
    session: int
    signed_in: set[str] = field(default_factory=set)
    is_named: bool = True
    is_racing: bool = False

    def begin_registration(self) -> Mapping[str, Any]:
        """Creation options."""
        challenge = self._issue(None)
        handle = self.party.handle_of(self.account.email)
        return {
            "challenge": websafe_encode(challenge),
            "rp": {"id": _RP_ID, "name": "Leaky"},
            "user": {"id": websafe_encode(handle), "name": self.account.email, "displayName": "Pat"},
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"userVerification": self.party.verification},
            "excludeCredentials": [_entry(known) for known in self._own()],
        }

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        """Request options, which list a made-up passkey for whoever has none."""
        self.is_named = named
        decoy = websafe_encode(sha256(self.account.email.encode()).digest())
        listed = (self.party.of(self.account.email) or [decoy]) if named else []
        challenge = self._issue(listed)
        options = {"challenge": websafe_encode(challenge), "rpId": _RP_ID, "userVerification": self.party.verification}
        return {**options, "allowCredentials": [_entry(known) for known in listed]}

    def finish_registration(self, credential: object) -> Reaction:
        """What comes of a credential."""
        return self._judged(credential, self._register)

    def finish_login(self, assertion: object) -> Reaction:
        """What comes of an assertion."""
        return self._judged(assertion, self._log_in)

    def branch(self, account: Account | None = None) -> LeakyVisit:
        """The same browser."""
        return replace(self, account=account or self.account, is_racing=account is None)

    def close(self) -> None:
        """Nothing is kept."""

    def _own(self) -> list[str]:
        return self.party.of(self.account.email) if self.account.email in self.signed_in else []

    def _issue(self, listed: list[str] | None) -> bytes:
        challenge = _RANDOM.take(32)
        is_login = listed is not None
        email = self.account.email if not is_login or self.is_named else None
        self.party.issued[challenge] = Issued(is_login, self.session, email, listed or [])
        return challenge

    def _judged(self, document: Any, finish: Any) -> Reaction:
        challenge = websafe_decode(json.loads(websafe_decode(document["response"]["clientDataJSON"]))["challenge"])
        looked_up = challenge
        if "own-copy" in self.party.missing and "challenge" in document:
            looked_up = websafe_decode(document["challenge"])
        try:
            with self.party.lock:
                issued = self.party.take(looked_up)
        except Refused as error:
            return Reaction(Verdict.REFUSED, 400, str(error), 0.0)
        except LookupError:
            issued = Issued(finish == self._log_in, self.session, self.account.email if self.is_named else None, [])
        try:
            self._check(issued, is_login=finish == self._log_in)
            finish(document, challenge, issued)
        except (Refused, WebAuthnException) as error:
            self.party.end(looked_up, issued, has_failed=True)
            return Reaction(Verdict.REFUSED, 400, str(error), 0.0)
        self.party.end(looked_up, issued, has_failed=False)
        return Reaction(Verdict.ACCEPTED, 200, "", 0.0)

    def _check(self, issued: Issued, *, is_login: bool) -> None:
        if "atomic" in self.party.missing and self.is_racing:
            self._let_the_other_look()
        self.party.demand("expiry", not issued.is_expired)
        self.party.demand("purpose", issued.is_login == is_login)
        self.party.demand("session", issued.session == self.session)
        self.party.demand("user", issued.email == (self.account.email if self.is_named or not is_login else None))

    def _let_the_other_look(self) -> None:
        with self.party.lock:
            self.party.waiting += 1
            self.party.lock.notify_all()
            self.party.lock.wait_for(lambda: self.party.waiting % 2 == 0, _PATIENCE)

    def _register(self, document: Any, challenge: bytes, issued: Issued) -> None:
        email = self.account.email
        self.party.demand("account", not self.party.of(email) or email in self.signed_in)
        made = webauthn.verify_registration_response(
            credential=write(document),
            expected_challenge=challenge,
            expected_rp_id=_RP_ID,
            expected_origin=_ORIGIN,
            require_user_verification=self._is_verified(),
        )
        known = websafe_encode(made.credential_id)
        with self.party.lock:
            same = [one for one, _ in self.party.passkeys if one == known]
            self.party.demand("unique-id", not same)
            kept = Passkey(email, self.party.handle_of(email), made.credential_public_key)
            self.party.passkeys[known, len(same)] = kept
        self.signed_in.add(email)

    def _log_in(self, document: Any, challenge: bytes, issued: Issued) -> None:
        kept = next((one for (known, _), one in self.party.passkeys.items() if known == document["id"]), None)
        if kept is None or kept.is_gone:
            raise Refused("there is no such passkey")
        self.party.demand("owner", not self.is_named or kept.email == self.account.email)
        self.party.demand("listed", not issued.listed or document["id"] in issued.listed)
        handle = document["response"].get("userHandle")
        self.party.demand("handle", handle is None or websafe_decode(handle) == kept.handle)
        if "signature" in self.party.missing:
            return
        webauthn.verify_authentication_response(
            credential=write(document),
            expected_challenge=challenge,
            expected_rp_id=_RP_ID,
            expected_origin=_ORIGIN,
            credential_public_key=kept.key,
            credential_current_sign_count=0,
            require_user_verification=self._is_verified(),
        )

    def _is_verified(self) -> bool:
        return self.party.verification == "required" and "verification" not in self.party.missing


def _entry(known: str) -> dict[str, str]:
    return {"type": "public-key", "id": known}
