"""Registration: what comes into being, what is refused, and what the trail learns."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AlreadyExists, LoginFailed, RateLimited, RegistrationFailed
from authctl.server.audit.events import EventType
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies.harness import CALLER, JANE, JOHN, POLICY, Ceremonies, octets
from tests.server.ceremonies.messages import (
    BE,
    BS,
    EDDSA,
    ES256,
    RS256,
    UP,
    UV,
    Passkey,
    authenticator_data,
    cbor,
    text,
)

if TYPE_CHECKING:
    from authctl.clock import FixedClock


def refused(ceremonies: Ceremonies, credential: object, email: str = JANE.email) -> str:
    """The reason of a registration that must be refused; nothing is stored with it."""
    before = ceremonies.count("users"), ceremonies.count("webauthn_credentials")
    with pytest.raises(RegistrationFailed) as failure:
        ceremonies.complete_registration(credential, email)
    event = ceremonies.journal.events[-1]
    assert (event.type, event.success, event.reason) == (
        EventType.REGISTRATION_COMPLETE,
        False,
        failure.value.reason,
    )
    assert event.user_email == email
    assert failure.value.detail == "Registration failed"
    assert (ceremonies.count("users"), ceremonies.count("webauthn_credentials")) == before
    return failure.value.reason


def challenge(ceremonies: Ceremonies) -> bytes:
    return octets(ceremonies.begin_registration()["challenge"])


def test_options_are_those_of_the_contract(ceremonies: Ceremonies) -> None:
    options = ceremonies.begin_registration()
    assert len(octets(options.pop("challenge"))) == 32
    assert len(octets(options["user"].pop("id"))) == 64
    assert options == {
        "rp": {"id": "localhost", "name": "Auth Example"},
        "user": {"name": "jane@example.com", "displayName": "Jane Doe"},
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-8, -7, -257)],
        "authenticatorSelection": {
            "authenticatorAttachment": "platform",
            "residentKey": "preferred",
            "userVerification": "required",
        },
        "attestation": "none",
        "timeout": 60000,
        "excludeCredentials": [],
    }


def test_options_for_a_known_email_differ_from_others_only_in_random_values(ceremonies: Ceremonies) -> None:
    """R-EN-05."""
    ceremonies.register()
    first, second = ceremonies.begin_registration(), ceremonies.begin_registration()
    other = ceremonies.begin_registration(JOHN)
    assert first["user"]["id"] != second["user"]["id"] != other["user"]["id"]
    for options in (first, second, other):
        del options["challenge"], options["user"]
    assert first == second == other


def test_nothing_is_stored_about_a_user_before_the_registration_completes(ceremonies: Ceremonies) -> None:
    """D-2."""
    ceremonies.begin_registration()
    assert ceremonies.count("users") == 0
    event = ceremonies.journal.events[-1]
    assert (event.type, event.success, event.user_email) == (EventType.REGISTRATION_BEGIN, True, JANE.email)
    assert event.details == "Registration of jane@example.com started from IP: 192.0.2.1"


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("attestation", ["none", "packed-self"])
def test_a_registration_makes_user_and_credential(
    ceremonies: Ceremonies, algorithm: int, attestation: str, clock: FixedClock
) -> None:
    """R-WA-22, R-WA-24."""
    options = ceremonies.begin_registration()
    passkey = Passkey(algorithm, user_handle=octets(options["user"]["id"]), flags=UP | UV | BE | BS)
    answer = passkey.create if attestation == "none" else passkey.create_packed
    user = ceremonies.complete_registration(answer(octets(options["challenge"])))
    stored = ceremonies.user()
    assert stored is not None
    assert stored.__dict__ == user.__dict__
    assert (user.first_name, user.last_name, user.email, user.job_title) == ("Jane", "Doe", JANE.email, "Engineer")
    assert (user.date_of_birth, user.created_at) == (datetime(1990, 5, 17, tzinfo=UTC), clock.now())
    assert (user.role, user.disabled_at) == ("user", None)
    assert user.user_handle == passkey.user_handle != user.id.encode()
    (credential,) = ceremonies.database.write_now(lambda tx: tx.credentials.of_user(user.id))
    assert (credential.credential_id, credential.public_key) == (passkey.credential_id, passkey.public_key)
    assert (credential.algorithm, credential.attestation_format) == (algorithm, attestation)
    assert (credential.backup_eligible, credential.backup_state, credential.user_verified) == (True, True, True)
    assert (credential.aaguid, credential.source_address) == ("00112233-4455-6677-8899-aabbccddeeff", "192.0.2.1")
    assert json.loads(credential.transports) == ["internal", "hybrid"]
    assert (credential.created_at, credential.last_used_at) == (clock.now(), None)


def test_the_trail_names_who_registered(ceremonies: Ceremonies) -> None:
    ceremonies.register()
    user, event = ceremonies.user(), ceremonies.last(EventType.REGISTRATION_COMPLETE)
    assert user is not None
    assert (event.success, event.user_email, event.user_id, event.actor) == (True, JANE.email, user.id, user.id)
    assert event.details == "User Jane Doe registered from IP: 192.0.2.1"


def test_a_perfect_registration_is_refused_when_the_email_has_an_account(ceremonies: Ceremonies) -> None:
    """R-WA-01, V-01: the new key cannot log in, the old one can."""
    jane = ceremonies.register()
    thief = Passkey()
    assert refused(ceremonies, thief.create(challenge(ceremonies))) == Reason.ACCOUNT_EXISTS
    with pytest.raises(LoginFailed):
        ceremonies.complete_login(thief.get(ceremonies.challenge()))
    assert ceremonies.complete_login(jane.get(ceremonies.challenge())).user.email == JANE.email


def test_a_registration_is_refused_when_the_credential_id_is_taken(ceremonies: Ceremonies) -> None:
    """R-WA-02: no user is left behind either, and the first account still logs in."""
    jane = ceremonies.register()
    options = ceremonies.begin_registration(JOHN)
    copy = Passkey()
    copy.credential_id = jane.credential_id
    assert refused(ceremonies, copy.create(octets(options["challenge"])), JOHN.email) == Reason.CREDENTIAL_EXISTS
    assert ceremonies.user(JOHN.email) is None
    assert ceremonies.complete_login(jane.get(ceremonies.challenge())).user.email == JANE.email


def test_another_broken_rule_of_the_database_is_no_refusal(
    ceremonies: Ceremonies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user handle cannot repeat: should it, the service is at fault and not the caller."""
    ceremonies.register()
    handle = ceremonies.user()
    assert handle is not None
    monkeypatch.setattr(ceremonies.registration, "_random_bytes", lambda size: handle.user_handle[:size])
    options = ceremonies.begin_registration(JOHN)
    with pytest.raises(AlreadyExists):
        ceremonies.complete_registration(Passkey().create(octets(options["challenge"])), JOHN.email)
    assert ceremonies.count("challenges") == 1


def test_of_parallel_registrations_of_one_email_exactly_one_succeeds(ceremonies: Ceremonies) -> None:
    """F-14, R-CH-07."""
    answers = [Passkey().create(challenge(ceremonies)) for _ in range(20)]

    async def submit() -> list[Any]:
        calls = [ceremonies.registration.complete(JANE.email, answer, CALLER) for answer in answers]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    outcomes = asyncio.run(submit())
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert {o.reason for o in outcomes if isinstance(o, RegistrationFailed)} == {Reason.ACCOUNT_EXISTS}
    assert (ceremonies.count("users"), ceremonies.count("webauthn_credentials")) == (1, 1)


def test_a_registration_is_refused_when_its_challenge_was_used(ceremonies: Ceremonies) -> None:
    """R-CH-02, V-08: also for another e-mail."""
    options = ceremonies.begin_registration()
    answer = Passkey().create(octets(options["challenge"]))
    ceremonies.complete_registration(answer)
    assert refused(ceremonies, answer) == Reason.CHALLENGE_UNKNOWN
    assert refused(ceremonies, answer, JOHN.email) == Reason.CHALLENGE_UNKNOWN


def test_a_refused_registration_consumes_the_challenge(ceremonies: Ceremonies) -> None:
    """R-CH-03: whether the answer is wrong or defective."""
    passkey, value = Passkey(), challenge(ceremonies)
    clear = passkey.create(value, data=authenticator_data(UV, attested=passkey.attested))
    assert refused(ceremonies, clear) == Reason.USER_PRESENCE_MISSING
    assert refused(ceremonies, passkey.create(value)) == Reason.CHALLENGE_UNKNOWN
    defective = passkey.create(value := challenge(ceremonies))
    del defective["response"]["attestationObject"]
    assert refused(ceremonies, defective) == Reason.MALFORMED_RESPONSE
    assert refused(ceremonies, passkey.create(value)) == Reason.CHALLENGE_UNKNOWN


def test_the_trail_says_that_an_answer_is_defective_when_it_does_not_even_name_a_challenge(
    ceremonies: Ceremonies,
) -> None:
    defective = Passkey().create(challenge(ceremonies))
    del defective["response"]["clientDataJSON"]
    assert refused(ceremonies, defective) == Reason.MALFORMED_RESPONSE


def test_a_registration_is_refused_when_the_email_is_not_the_one_of_begin(ceremonies: Ceremonies) -> None:
    """R-CH-06."""
    answer = Passkey().create(challenge(ceremonies))
    assert refused(ceremonies, answer, JOHN.email) == Reason.EMAIL_MISMATCH
    assert refused(ceremonies, answer) == Reason.CHALLENGE_UNKNOWN


def test_a_login_challenge_is_refused_at_registration(ceremonies: Ceremonies) -> None:
    """R-WA-06."""
    assert refused(ceremonies, Passkey().create(ceremonies.challenge())) == Reason.PURPOSE_MISMATCH


@pytest.mark.parametrize(("seconds", "succeeds"), [(299, True), (301, False)])
def test_a_registration_challenge_is_good_for_five_minutes(
    ceremonies: Ceremonies, clock: FixedClock, seconds: int, succeeds: bool
) -> None:
    """R-CH-04."""
    answer = Passkey().create(challenge(ceremonies))
    clock.advance(seconds)
    if succeeds:
        assert ceremonies.complete_registration(answer).email == JANE.email
    else:
        assert refused(ceremonies, answer) == Reason.CHALLENGE_EXPIRED


def test_a_registration_is_refused_when_user_verification_is_missing(ceremonies: Ceremonies) -> None:
    """R-WA-10, V-15: by the policy that was stored at begin."""
    passkey, value = Passkey(), challenge(ceremonies)
    ceremonies.use(replace(POLICY, user_verification="preferred"))
    unverified = authenticator_data(UP, attested=passkey.attested)
    assert refused(ceremonies, passkey.create(value, data=unverified)) == Reason.USER_VERIFICATION_MISSING
    assert ceremonies.complete_registration(passkey.create(challenge(ceremonies), data=unverified)).email == JANE.email


def test_a_registration_is_refused_when_its_algorithm_was_not_offered_at_begin(ceremonies: Ceremonies) -> None:
    """R-WA-16: the algorithms of the options count, not those of today."""
    ceremonies.use(replace(POLICY, algorithms=(EDDSA,)))
    value = challenge(ceremonies)
    ceremonies.use(POLICY)
    assert refused(ceremonies, Passkey(ES256).create(value)) == Reason.ALGORITHM_NOT_OFFERED


def test_attestation_formats_are_a_setting(ceremonies: Ceremonies) -> None:
    """R-WA-17, V-16."""
    ceremonies.use(replace(POLICY, formats=frozenset({"packed-self"})))
    assert refused(ceremonies, Passkey().create(challenge(ceremonies))) == Reason.ATTESTATION_FORMAT_REFUSED
    ceremonies.use(replace(POLICY, formats=frozenset({"none"})))
    assert refused(ceremonies, Passkey().create_packed(challenge(ceremonies))) == Reason.ATTESTATION_FORMAT_REFUSED


def test_the_same_passkey_logs_in_after_a_registration_with_a_long_id(ceremonies: Ceremonies) -> None:
    options = ceremonies.begin_registration()
    passkey = Passkey(user_handle=octets(options["user"]["id"]))
    passkey.credential_id = b"i" * 1023
    ceremonies.complete_registration(passkey.create(octets(options["challenge"])))
    assert ceremonies.complete_login(passkey.get(ceremonies.challenge())).user.email == JANE.email


def test_members_that_nobody_asked_for_change_nothing(ceremonies: Ceremonies) -> None:
    """R-WA-11, R-AZ-03: the copies beside the attestation object are not believed either."""
    passkey = Passkey()
    answer = passkey.create(challenge(ceremonies)) | {
        "role": "admin",
        "sign_count": 7,
        "userVerification": "discouraged",
    }
    answer["authenticatorAttachment"] = "telepathic"
    answer["response"] |= {"publicKey": text(cbor({1: 2})), "publicKeyAlgorithm": -65535}
    user = ceremonies.complete_registration(answer)
    (stored,) = ceremonies.database.write_now(lambda tx: tx.credentials.of_user(user.id))
    assert (user.role, stored.public_key, stored.sign_count) == ("user", passkey.public_key, 0)


def test_a_begin_is_refused_when_too_many_are_outstanding(ceremonies: Ceremonies) -> None:
    """R-CH-08."""
    ceremonies.use(replace(POLICY, outstanding_total=2))
    ceremonies.begin_registration()
    ceremonies.begin_login()
    with pytest.raises(RateLimited):
        ceremonies.begin_registration()
    event, alarm = ceremonies.journal.events[-2:]
    assert (event.type, event.success) == (EventType.REGISTRATION_BEGIN, False)
    assert (alarm.type, alarm.reason) == (EventType.RATE_LIMITED, Reason.TOO_MANY_OUTSTANDING)
    assert ceremonies.count("challenges") == 2
