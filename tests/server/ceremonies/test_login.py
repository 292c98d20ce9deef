"""Login: what is granted, what is refused, and what the trail learns."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import LoginFailed, RateLimited
from authctl.server.audit.events import EventType
from authctl.server.ceremonies import relying_party
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies.harness import CALLER, JANE, JOHN, POLICY, Ceremonies, octets, refused_login
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
    client_data,
    text,
)

if TYPE_CHECKING:
    from authctl.clock import FixedClock


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_login_with_an_email_opens_a_session(ceremonies: Ceremonies, algorithm: int, clock: FixedClock) -> None:
    passkey = ceremonies.register(algorithm=algorithm)
    result = ceremonies.complete_login(passkey.get(ceremonies.challenge()))
    user, session, now, is_verified = ceremonies.issuer.calls[-1]
    assert (result.user.email, result.expires_in, result.access_token) == (JANE.email, 3600, f"token for {session.id}")
    assert (user.id, session.user_id, now, is_verified) == (result.user.id, result.user.id, clock.now(), True)
    stored = ceremonies.database.write_now(lambda tx: tx.sessions.with_user(session.id))
    assert stored is not None
    assert stored[0].expires_at == clock.now() + timedelta(hours=1)


def test_a_login_without_an_email_finds_its_user_by_the_credential(ceremonies: Ceremonies) -> None:
    """R-WA-04."""
    passkey = ceremonies.register()
    options = ceremonies.begin_login(None)
    assert options["allowCredentials"] == []
    result = ceremonies.complete_login(passkey.get(octets(options["challenge"])), None)
    assert result.user.email == JANE.email


def test_the_trail_names_who_logged_in(ceremonies: Ceremonies) -> None:
    passkey = ceremonies.register()
    user = ceremonies.complete_login(passkey.get(ceremonies.challenge())).user
    begin, end = ceremonies.last(EventType.LOGIN_BEGIN), ceremonies.last(EventType.LOGIN_COMPLETE)
    assert (begin.success, begin.reason, begin.user_email, begin.user_id) == (True, None, JANE.email, user.id)
    assert (end.success, end.reason, end.user_id, end.actor) == (True, None, user.id, user.id)
    assert end.details == "User Jane Doe logged in from IP: 192.0.2.1"


def test_options_list_the_credentials_of_a_known_email_without_transports(ceremonies: Ceremonies) -> None:
    passkey = ceremonies.register()
    options = ceremonies.begin_login()
    assert options["allowCredentials"] == [{"type": "public-key", "id": text(passkey.credential_id)}]
    assert set(options) == {"challenge", "rpId", "allowCredentials", "userVerification", "timeout"}
    assert (options["rpId"], options["userVerification"], options["timeout"]) == ("localhost", "required", 60000)


def test_options_for_an_unknown_email_have_the_shape_of_a_known_one(ceremonies: Ceremonies) -> None:
    """R-EN-01, R-EN-02."""
    ceremonies.register()
    known, unknown = ceremonies.begin_login(), ceremonies.begin_login("nobody@example.com")
    assert list(known) == list(unknown)
    assert [list(item) for item in unknown["allowCredentials"]][:1] == [list(known["allowCredentials"][0])]
    assert unknown["allowCredentials"] == ceremonies.begin_login("nobody@example.com")["allowCredentials"]
    event = ceremonies.last(EventType.LOGIN_BEGIN)
    assert (event.success, event.reason, event.user_id) == (True, Reason.UNKNOWN_USER, None)


def test_a_login_is_refused_when_the_email_is_unknown(ceremonies: Ceremonies) -> None:
    """V-05, R-EN-03: also with another user's valid passkey, and with a decoy's id."""
    jane = ceremonies.register()
    unknown = "nobody@example.com"
    assert (
        refused_login(ceremonies, jane.get(ceremonies.challenge(unknown)), unknown) == Reason.CREDENTIAL_USER_MISMATCH
    )
    options = ceremonies.begin_login(unknown)
    decoy = Passkey()
    decoy.credential_id = octets(options["allowCredentials"][0]["id"])
    assert refused_login(ceremonies, decoy.get(octets(options["challenge"])), unknown) == Reason.CREDENTIAL_UNKNOWN


def test_a_login_is_refused_when_the_credential_is_another_users(ceremonies: Ceremonies) -> None:
    """R-WA-03, V-04: A's challenge, B's valid passkey."""
    ceremonies.register()
    john = ceremonies.register(JOHN)
    assert refused_login(ceremonies, john.get(ceremonies.challenge())) == Reason.CREDENTIAL_USER_MISMATCH
    event = ceremonies.journal.events[-1]
    a, b = ceremonies.user(), ceremonies.user(JOHN.email)
    assert a is not None
    assert b is not None
    assert (event.user_email, event.user_id, event.target_user_id) == (JANE.email, a.id, b.id)


@pytest.mark.parametrize(
    ("begun", "completed", "named", "other"),
    [
        (JANE.email, JANE.email, JANE.email, JOHN.email),
        (JANE.email, JOHN.email, JOHN.email, JANE.email),
        (JOHN.email, JANE.email, None, JOHN.email),
        (None, JANE.email, None, JOHN.email),
    ],
)
def test_a_login_is_refused_when_email_challenge_and_credential_name_different_users(
    ceremonies: Ceremonies, begun: str | None, completed: str, named: str | None, other: str
) -> None:
    """R-WA-03, R-CH-06: John's passkey; the trail has the ids of whom it concerns."""
    ceremonies.register()
    john = ceremonies.register(JOHN)
    ids = {user.email: user.id for user in ceremonies.database.write_now(lambda tx: tx.users.all())}
    assertion = john.get(ceremonies.challenge(begun))
    assert refused_login(ceremonies, assertion, completed) == Reason.CREDENTIAL_USER_MISMATCH
    event = ceremonies.journal.events[-1]
    assert event.user_email == completed
    assert (event.user_id, event.target_user_id) == (ids.get(named or ""), ids[other])
    assert ids[other] in event.details


@pytest.mark.parametrize(("begun", "completed"), [(JANE.email, None), (None, JANE.email)])
def test_a_login_is_refused_when_it_was_begun_with_an_email_and_completes_without_or_the_reverse(
    ceremonies: Ceremonies, begun: str | None, completed: str | None
) -> None:
    """R-CH-06."""
    jane = ceremonies.register()
    assert refused_login(ceremonies, jane.get(ceremonies.challenge(begun)), completed) == Reason.EMAIL_MISMATCH


def test_a_login_is_refused_when_the_credential_was_enrolled_after_begin(ceremonies: Ceremonies) -> None:
    """R-WA-05."""
    ceremonies.register()
    challenge = ceremonies.challenge()
    late = Passkey()
    user = ceremonies.user()
    assert user is not None
    add_credential(ceremonies, user.id, late)
    assert refused_login(ceremonies, late.get(challenge)) == Reason.CREDENTIAL_NOT_ALLOWED
    late.user_handle = user.user_handle
    assert ceremonies.complete_login(late.get(ceremonies.challenge())).user.id == user.id


def add_credential(ceremonies: Ceremonies, user_id: str, passkey: Passkey) -> None:
    def unit(tx: Any) -> None:
        existing = tx.credentials.of_user(user_id)[0]
        fields = existing.__dict__ | {"id": secrets.token_hex(8), "credential_id": passkey.credential_id}
        tx.credentials.add(type(existing)(**fields | {"public_key": passkey.public_key}))

    ceremonies.database.write_now(unit)


def test_a_login_is_refused_when_the_user_handle_is_another(ceremonies: Ceremonies) -> None:
    """R-WA-04."""
    jane = ceremonies.register()
    jane.user_handle = b"x" * 64
    assert refused_login(ceremonies, jane.get(ceremonies.challenge())) == Reason.USER_HANDLE_MISMATCH
    jane.user_handle = b""
    assert refused_login(ceremonies, jane.get(ceremonies.challenge())) == Reason.USER_HANDLE_MISMATCH


def test_a_login_without_an_email_is_refused_when_the_user_handle_is_missing(ceremonies: Ceremonies) -> None:
    """R-WA-04."""
    jane = ceremonies.register()
    assertion = jane.get(ceremonies.challenge(None))
    assertion["response"]["userHandle"] = None
    assert refused_login(ceremonies, assertion, None) == Reason.USER_HANDLE_MISSING
    assert ceremonies.journal.events[-1].user_email == JANE.email
    assertion = jane.get(ceremonies.challenge())
    del assertion["response"]["userHandle"]
    assert ceremonies.complete_login(assertion).user.email == JANE.email


def test_a_login_is_refused_when_the_user_is_disabled(ceremonies: Ceremonies, clock: FixedClock) -> None:
    jane = ceremonies.register()
    user = ceremonies.user()
    assert user is not None
    ceremonies.database.write_now(lambda tx: tx.users.set_disabled(user.id, clock.now()))
    assert refused_login(ceremonies, jane.get(ceremonies.challenge())) == Reason.USER_DISABLED
    ceremonies.database.write_now(lambda tx: tx.users.set_disabled(user.id, None))
    assert ceremonies.complete_login(jane.get(ceremonies.challenge())).user.id == user.id


def test_a_login_is_refused_when_the_challenge_was_used(ceremonies: Ceremonies) -> None:
    """R-CH-02."""
    jane = ceremonies.register()
    assertion = jane.get(ceremonies.challenge())
    ceremonies.complete_login(assertion)
    assert refused_login(ceremonies, assertion) == Reason.CHALLENGE_UNKNOWN


@pytest.mark.parametrize("copies", [2, 10, 50])
def test_of_parallel_submissions_of_one_assertion_exactly_one_succeeds(ceremonies: Ceremonies, copies: int) -> None:
    """R-CH-02."""
    jane = ceremonies.register()
    assertion = jane.get(ceremonies.challenge())

    async def submit() -> list[object]:
        calls = [ceremonies.login.complete(JANE.email, assertion, CALLER) for _ in range(copies)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    outcomes = asyncio.run(submit())
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, LoginFailed)} == {Reason.CHALLENGE_UNKNOWN}
    assert sum(event.type is EventType.LOGIN_COMPLETE for event in ceremonies.journal.events) == copies


def test_a_refused_answer_consumes_the_challenge(ceremonies: Ceremonies) -> None:
    """R-CH-03."""
    jane = ceremonies.register()
    challenge = ceremonies.challenge()
    assert refused_login(ceremonies, jane.get(challenge, signature=b"\x30\x06\x02\x01\x01\x02\x01\x01")) == (
        Reason.SIGNATURE_INVALID
    )
    assert refused_login(ceremonies, jane.get(challenge)) == Reason.CHALLENGE_UNKNOWN


@pytest.mark.parametrize("defect", ["rawId", "id", "type", "signature", "authenticatorData"])
def test_a_defective_answer_consumes_the_challenge_that_it_names(ceremonies: Ceremonies, defect: str) -> None:
    """R-CH-03, SPEC section 3."""
    jane = ceremonies.register()
    challenge = ceremonies.challenge()
    assertion = jane.get(challenge)
    (assertion if defect in assertion else assertion["response"]).pop(defect)
    assert refused_login(ceremonies, assertion) == Reason.MALFORMED_RESPONSE
    assert refused_login(ceremonies, jane.get(challenge)) == Reason.CHALLENGE_UNKNOWN


@pytest.mark.parametrize("nonsense", [None, [], "text", {}, {"response": 1}, {"response": {"clientDataJSON": "!"}}])
def test_nonsense_is_refused_and_consumes_nothing(ceremonies: Ceremonies, nonsense: object) -> None:
    ceremonies.register()
    ceremonies.begin_login()
    assert refused_login(ceremonies, nonsense) == Reason.MALFORMED_RESPONSE
    assert ceremonies.count("challenges") == 1


def test_two_begun_logins_can_both_be_completed(ceremonies: Ceremonies) -> None:
    """R-CH-07."""
    jane = ceremonies.register()
    first, second = ceremonies.challenge(), ceremonies.challenge()
    assert ceremonies.complete_login(jane.get(second)).user.email == JANE.email
    assert ceremonies.complete_login(jane.get(first)).user.email == JANE.email


@pytest.mark.parametrize(("seconds", "succeeds"), [(299, True), (301, False)])
def test_a_challenge_is_good_for_five_minutes(
    ceremonies: Ceremonies, clock: FixedClock, seconds: int, succeeds: bool
) -> None:
    """R-CH-04: without any sweeper."""
    jane = ceremonies.register()
    challenge = ceremonies.challenge()
    clock.advance(seconds)
    if succeeds:
        assert ceremonies.complete_login(jane.get(challenge)).user.email == JANE.email
    else:
        assert refused_login(ceremonies, jane.get(challenge)) == Reason.CHALLENGE_EXPIRED


def test_a_registration_challenge_is_refused_at_login_and_consumed(ceremonies: Ceremonies) -> None:
    """R-WA-06."""
    jane = ceremonies.register()
    challenge = octets(ceremonies.begin_registration()["challenge"])
    assert refused_login(ceremonies, jane.get(challenge)) == Reason.PURPOSE_MISMATCH
    assert ceremonies.count("challenges") == 0


def test_old_signed_data_is_refused_beside_a_live_challenge(ceremonies: Ceremonies) -> None:
    """R-CH-09, V-10: a copy of the challenge outside the signed client data is worth nothing."""
    jane = ceremonies.register()
    old = jane.get(ceremonies.challenge())
    ceremonies.complete_login(old)
    old["challenge"] = old["response"]["challenge"] = text(ceremonies.challenge())
    assert refused_login(ceremonies, old) == Reason.CHALLENGE_UNKNOWN


def test_a_login_is_refused_when_user_verification_is_missing_though_the_client_asks_for_less(
    ceremonies: Ceremonies,
) -> None:
    """R-WA-10, R-WA-11, V-15: the policy is the one that was stored at begin."""
    jane = ceremonies.register()
    challenge = ceremonies.challenge()
    ceremonies.use(replace(POLICY, user_verification="preferred"))
    assertion = jane.get(challenge, data=authenticator_data(UP)) | {"userVerification": "discouraged"}
    assert refused_login(ceremonies, assertion) == Reason.USER_VERIFICATION_MISSING
    result = ceremonies.complete_login(jane.get(ceremonies.challenge(), data=authenticator_data(UP)))
    assert result.user.email == JANE.email
    assert ceremonies.issuer.calls[-1][3] is False


@pytest.mark.parametrize(
    ("registered", "now", "reason"),
    [
        (UP | UV, UP | UV | BE, Reason.BACKUP_ELIGIBILITY_CHANGED),
        (UP | UV | BE, UP | UV, Reason.BACKUP_ELIGIBILITY_CHANGED),
        (UP | UV, UP | UV | BS, Reason.BACKUP_STATE_INVALID),
    ],
)
def test_a_login_is_refused_when_backup_eligibility_changes(
    ceremonies: Ceremonies, registered: int, now: int, reason: Reason
) -> None:
    """R-WA-12."""
    jane = ceremonies.register(flags=registered)
    assert refused_login(ceremonies, jane.get(ceremonies.challenge(), data=authenticator_data(now))) == reason


def test_a_login_stores_what_it_saw_of_the_credential(ceremonies: Ceremonies, clock: FixedClock) -> None:
    """R-WA-24."""
    jane = ceremonies.register(flags=UP | UV | BE)
    clock.advance(60)
    data = authenticator_data(UP | UV | BE | BS, sign_count=9)
    user = ceremonies.complete_login(jane.get(ceremonies.challenge(), data=data)).user
    (stored,) = ceremonies.database.write_now(lambda tx: tx.credentials.of_user(user.id))
    assert (stored.sign_count, stored.backup_state, stored.backup_eligible) == (9, True, True)
    assert stored.last_used_at == clock.now()


def test_a_login_is_refused_when_the_settings_changed_since_begin(ceremonies: Ceremonies) -> None:
    """R-CH-06."""
    jane = ceremonies.register()
    challenge = ceremonies.challenge()
    ceremonies.use(replace(POLICY, fingerprint="another"))
    assert refused_login(ceremonies, jane.get(challenge)) == Reason.SETTINGS_CHANGED


def test_a_challenge_that_was_never_issued_is_refused_login(ceremonies: Ceremonies) -> None:
    jane = ceremonies.register()
    assert refused_login(ceremonies, jane.get(secrets.token_bytes(32))) == Reason.CHALLENGE_UNKNOWN
    client = client_data("get", b"", challenge="not canonical=")
    assert refused_login(ceremonies, jane.get(b"", client=client)) == Reason.CHALLENGE_UNKNOWN


def test_what_the_library_raised_is_in_the_operational_log_under_the_request_id(
    ceremonies: Ceremonies, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R-WA-20: an ordinary refusal is not worth a warning."""
    jane = ceremonies.register()
    assert refused_login(ceremonies, jane.get(b"c" * 32)) == Reason.CHALLENGE_UNKNOWN
    assert caplog.records == []

    def fail(**arguments: object) -> None:
        raise KeyError("kty")

    assertion = jane.get(ceremonies.challenge())
    monkeypatch.setattr(relying_party, "verify_authentication_response", fail)
    assert refused_login(ceremonies, assertion) == Reason.LIBRARY_ERROR
    (record,) = caplog.records
    assert record.getMessage() == "library_error: KeyError: 'kty'"
    assert vars(record)["request_id"] == "request-1"


def test_a_begin_is_refused_when_its_source_has_too_many_outstanding(ceremonies: Ceremonies) -> None:
    """R-CH-08: nobody else is affected."""
    ceremonies.use(replace(POLICY, outstanding_per_source=3))
    for _ in range(3):
        ceremonies.begin_login()
    with pytest.raises(RateLimited) as refusal:
        ceremonies.begin_login()
    assert refusal.value.retry_after > 0
    event, alarm = ceremonies.journal.events[-2:]
    assert (event.type, event.success, event.reason) == (EventType.LOGIN_BEGIN, False, Reason.TOO_MANY_OUTSTANDING)
    assert alarm.type is EventType.RATE_LIMITED
    assert ceremonies.begin_login(caller=replace(CALLER, network="192.0.2.2"))["challenge"]
    assert ceremonies.count("challenges") == 4
