"""R-EN-04, D-21: work is counted, since a test that takes times proves little on a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from webauthn import verify_authentication_response

from authctl.errors import LoginFailed
from authctl.server.ceremonies import relying_party
from authctl.server.ceremonies.cose_key import OFFERED
from authctl.server.storage.connection import Connection
from tests.server.ceremonies.harness import JANE, JOHN, Ceremonies, octets
from tests.server.ceremonies.messages import BE, UP, UV, Passkey, authenticator_data, client_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.clock import FixedClock

    Answer = tuple[object, str | None]

BAD_SIGNATURE = b"\x30\x06\x02\x01\x01\x02\x01\x01"


class Work:
    """Counts statements by their first words, and signature verifications."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self.verifications = 0
        self.verified: list[tuple[bytes, bytes]] = []
        run, verify = Connection._run, verify_authentication_response

        def counting_run(connection: Connection, compiled: Any, params: Any) -> Any:
            self.statements.append(compiled.sql.split(" WHERE ")[0].split(" (")[0][:60])
            return run(connection, compiled, params)

        def counting_verify(**arguments: Any) -> Any:
            self.verifications += 1
            self.verified.append((arguments["credential"].response.signature, arguments["credential_public_key"]))
            return verify(**arguments)

        monkeypatch.setattr(Connection, "_run", counting_run)
        monkeypatch.setattr(relying_party, "verify_authentication_response", counting_verify)

    def of(self, action: Callable[[], object]) -> tuple[list[str], int]:
        self.statements, self.verifications = [], 0
        action()
        return self.statements, self.verifications


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


def unknown_email(c: Ceremonies, jane: Passkey) -> Answer:
    return Passkey().get(c.challenge("nobody@example.com")), "nobody@example.com"


def decoy_credential(c: Ceremonies, jane: Passkey) -> Answer:
    options, decoy = c.begin_login("nobody@example.com"), Passkey()
    decoy.credential_id = octets(options["allowCredentials"][0]["id"])
    return decoy.get(octets(options["challenge"])), "nobody@example.com"


def unknown_credential(c: Ceremonies, jane: Passkey) -> Answer:
    return Passkey(user_handle=jane.user_handle).get(c.challenge()), JANE.email


def unknown_credential_without_email(c: Ceremonies, jane: Passkey) -> Answer:
    return Passkey().get(c.challenge(None)), None


def wrong_signature(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(c.challenge(), signature=BAD_SIGNATURE), JANE.email


def wrong_signature_without_email(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(c.challenge(None), signature=BAD_SIGNATURE), None


def wrong_origin(c: Ceremonies, jane: Passkey) -> Answer:
    challenge = c.challenge()
    return jane.get(challenge, client=client_data("get", challenge, origin="https://evil.example")), JANE.email


def no_user_verification(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(c.challenge(), data=authenticator_data(UP)), JANE.email


def another_users_credential(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(c.challenge("nobody@example.com")), "nobody@example.com"


def another_user_handle(c: Ceremonies, jane: Passkey) -> Answer:
    assertion = jane.get(c.challenge())
    assertion["response"]["userHandle"] = "eA"
    return assertion, JANE.email


def used_challenge(c: Ceremonies, jane: Passkey) -> Answer:
    assertion = jane.get(c.challenge())
    c.complete_login(assertion)
    return assertion, JANE.email


def another_email(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(c.challenge()), JOHN.email


def registration_challenge(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(octets(c.begin_registration()["challenge"])), JANE.email


def defective_answer(c: Ceremonies, jane: Passkey) -> Answer:
    return jane.get(c.challenge()) | {"type": "other"}, JANE.email


def disabled_user(c: Ceremonies, jane: Passkey) -> Answer:
    user = c.user()
    assert user is not None
    c.database.write_now(lambda tx: tx.users.set_disabled(user.id, tx.now))
    return jane.get(c.challenge()), JANE.email


REFUSALS = [
    unknown_email,
    decoy_credential,
    unknown_credential,
    unknown_credential_without_email,
    wrong_signature,
    wrong_signature_without_email,
    wrong_origin,
    no_user_verification,
    another_users_credential,
    another_user_handle,
    used_challenge,
    another_email,
    registration_challenge,
    defective_answer,
    disabled_user,
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refused_login_takes_two_statements_and_one_verification(
    ceremonies: Ceremonies, work: Work, refusal: Callable[[Ceremonies, Passkey], Answer]
) -> None:
    """The journal adds the same insert to each; a suspected clone takes more, but only who holds the key sees it."""
    assertion, email = refusal(ceremonies, ceremonies.register())
    events = len(ceremonies.journal.events)

    def complete() -> None:
        with pytest.raises(LoginFailed):
            ceremonies.complete_login(assertion, email)

    statements, verifications = work.of(complete)
    assert [statement.split()[0] for statement in statements] == ["DELETE", "SELECT"]
    assert verifications == 1
    assert len(ceremonies.journal.events) == events + 1


@pytest.mark.parametrize("algorithm", OFFERED)
@pytest.mark.parametrize("defect", ["another_user_handle", "another_backup_eligibility", "another_origin"])
def test_a_refusal_before_the_signature_costs_what_its_signature_and_key_cost(
    ceremonies: Ceremonies, work: Work, algorithm: int, defect: str
) -> None:
    """Whoever sends a signature that is quickly seen to be none would otherwise tell real credentials from decoys."""
    jane = ceremonies.register(algorithm=algorithm)
    challenge = ceremonies.challenge()
    if defect == "another_user_handle":
        jane.user_handle = b"x"
    flags = UP | UV | (BE if defect == "another_backup_eligibility" else 0)
    client = client_data("get", challenge, **({"origin": "https://evil"} if defect == "another_origin" else {}))
    assertion = jane.get(challenge, client=client, data=authenticator_data(flags), signature=b"s")
    with pytest.raises(LoginFailed):
        ceremonies.complete_login(assertion)
    assert work.verified == [(b"s", jane.public_key)]


def test_an_unknown_credential_is_verified_with_a_key_of_an_algorithm_of_its_own(
    ceremonies: Ceremonies, work: Work
) -> None:
    """The same one each time, and all of them occur, so that the time that it takes is as good as a real one's."""
    strangers = [Passkey() for _ in range(40)]
    for stranger in strangers * 2:
        with pytest.raises(LoginFailed):
            ceremonies.complete_login(stranger.get(ceremonies.challenge(None)), None)
    keys = [key for _, key in work.verified]
    assert keys[:40] == keys[40:]
    assert set(keys) == set(relying_party.dummy_public_keys().values())


def test_an_expired_challenge_costs_the_same(ceremonies: Ceremonies, work: Work, clock: FixedClock) -> None:
    assertion = ceremonies.register().get(ceremonies.challenge())
    clock.advance(301)

    def complete() -> None:
        with pytest.raises(LoginFailed):
            ceremonies.complete_login(assertion)

    statements, verifications = work.of(complete)
    assert (len(statements), verifications) == (2, 1)


def test_a_begun_login_takes_the_same_statements_for_known_and_unknown_emails(
    ceremonies: Ceremonies, work: Work
) -> None:
    ceremonies.register()
    ceremonies.begin_login()
    known = work.of(ceremonies.begin_login)
    unknown = work.of(lambda: ceremonies.begin_login("nobody@example.com"))
    assert known == unknown
    assert len(known[0]) == 4


def test_a_login_begun_without_an_email_looks_nobody_up(ceremonies: Ceremonies, work: Work) -> None:
    ceremonies.begin_login(None)
    statements, _ = work.of(lambda: ceremonies.begin_login(None))
    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT"]


def test_a_begun_registration_takes_the_same_statements_for_known_and_unknown_emails(
    ceremonies: Ceremonies, work: Work
) -> None:
    """R-EN-05."""
    ceremonies.register()
    assert work.of(ceremonies.begin_registration) == work.of(lambda: ceremonies.begin_registration(JOHN))


def test_a_granted_login_takes_two_statements_more(ceremonies: Ceremonies, work: Work) -> None:
    assertion = ceremonies.register().get(ceremonies.challenge())
    statements, verifications = work.of(lambda: ceremonies.complete_login(assertion))
    assert [statement.split()[0] for statement in statements] == ["DELETE", "SELECT", "UPDATE", "INSERT"]
    assert verifications == 1
