"""Logins that go wrong over time or between people: replays, races, other people's passkeys, accounts that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.audit.events import Caller
from authctl.virtual_authenticator import Gesture
from authctl.virtual_authenticator.base64url import decode
from tests.attacks.drafts import AssertionDraft
from tests.attacks.mutations_keys import IDENTITY, X
from tests.attacks.registry import script

if TYPE_CHECKING:
    import httpx2

    from tests.attacks.laboratory import Subject

OPERATOR = Caller(None, None, None, None, actor="os:tests(0)")
FEWEST_CHALLENGE_BYTES = 16


@script("auth.state.replay")
async def assertion_sent_twice(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    return [await subject.complete_login(await subject.log_in())]


@script("auth.state.race")
async def assertion_sent_by_two_at_once(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    assertion = subject.sign(await subject.begin_login()).document()
    return await subject.lab.post_at_once("/login/complete", {"email": subject.email, "assertion": assertion})


@script("auth.state.other-session", "begun by another user")
async def challenge_that_was_issued_to_another(subject: Subject) -> list[httpx2.Response]:
    other = subject.other()
    await other.register()
    await subject.register()
    await subject.log_in()
    challenge = (await other.begin_login())["challenge"]
    assertion = subject.sign({**await subject.begin_login(), "challenge": challenge}).document()
    return [await subject.complete_login(assertion)]


@script("auth.state.other-session", "begun without an e-mail")
async def challenge_that_was_issued_to_nobody_in_particular(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    begun = await subject.lab.post("/login/begin", {})
    assertion = subject.sign(begun.json()["publicKey"]).document()
    return [await subject.complete_login(assertion)]


@script("auth.state.challenge-live-swap", "captured as it was")
async def captured_assertion_beside_a_live_challenge(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    captured = await subject.log_in()
    captured["challenge"] = (await subject.begin_login())["challenge"]
    return [await subject.complete_login(captured)]


@script("auth.state.challenge-live-swap", "challenge put into the client data")
async def live_challenge_in_captured_client_data(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    captured = AssertionDraft.of(await subject.log_in(), subject.authenticator.store.all()[0].key)
    captured.signature = decode(captured.envelope["response"]["signature"])
    captured.client["challenge"] = (await subject.begin_login())["challenge"]
    return [await subject.complete_login(captured.document())]


@script("auth.state.uv-downgrade")
async def client_that_asks_for_less(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    options = {**await subject.begin_login(), "userVerification": "discouraged"}
    return [await subject.complete_login(subject.sign(options, Gesture(is_user_verified=False)).document())]


@script("auth.state.failed-attempt-reuse")
async def challenge_of_a_failed_attempt(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    draft = subject.sign(await subject.begin_login())
    valid = draft.document()
    draft.signature = b"\x30\x00"
    assert (await subject.complete_login(draft.document())).status_code == 401
    return [await subject.complete_login(valid)]


@script("auth.id.other-users-credential")
async def passkey_of_another_user(subject: Subject) -> list[httpx2.Response]:
    other = subject.other()
    await other.register()
    await other.log_in()
    await subject.register()
    options = {**await subject.begin_login(), "allowCredentials": []}
    return [await subject.complete_login(other.sign(options).document())]


@script("auth.id.deleted-credential")
async def passkey_that_was_removed(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    assertion = subject.sign(await subject.begin_login()).document()
    user_id = subject.user["id"]
    assert await subject.lab.service.database.write(lambda tx: tx.credentials.delete_of_user(user_id)) == 1
    return [await subject.complete_login(assertion)]


@script("auth.id.disabled-user", "disabled")
async def account_that_is_disabled(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    assertion = subject.sign(await subject.begin_login()).document()
    await subject.lab.service.users.disable(subject.email, OPERATOR)
    return [await subject.complete_login(assertion)]


@script("auth.id.disabled-user", "deleted")
async def account_that_is_deleted(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    assertion = subject.sign(await subject.begin_login()).document()
    await subject.lab.service.users.delete(subject.email, OPERATOR)
    return [await subject.complete_login(assertion)]


@script("auth.id.id-swap-after-sign")
async def id_of_another_passkey_of_the_user(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    await subject.log_in()
    second = subject.other().make(await subject.begin_registration())
    await subject.plant(second)
    draft = subject.sign(await subject.begin_login())
    draft.envelope |= {name: second.envelope[name] for name in ("id", "rawId")}
    return [await subject.complete_login(draft.document())]


@script("auth.sig.ed-small-order-forgery")
async def signature_that_would_fit_every_message(subject: Subject) -> list[httpx2.Response]:
    control = subject.other()
    await control.register()
    await control.log_in()
    registration = subject.make(await subject.begin_registration())
    registration.cose[X] = IDENTITY
    registered = await subject.complete_registration(registration.document())
    draft = subject.sign({**await subject.begin_login(), "allowCredentials": []})
    draft.signature = IDENTITY + bytes(32)
    answer = await subject.complete_login(draft.document())
    assert registered.status_code == 400
    return [answer]


@script("auth.env.not-an-object", "whole body")
async def body_is_array(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    assertion = subject.sign(await subject.begin_login()).document()
    return [await subject.lab.post("/login/complete", [{"email": subject.email, "assertion": assertion}])]


@script("auth.opt.unknown-user")
async def request_options_for_nobody(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    stranger = subject.other()
    known, unknown, again = await subject.begin_login(), await stranger.begin_login(), await stranger.begin_login()
    assert list(known) == list(unknown)
    assert [set(item) for item in unknown["allowCredentials"]] == [{"type", "id"}] * len(unknown["allowCredentials"])
    assert unknown["allowCredentials"] == again["allowCredentials"] != []
    assert {**unknown, "challenge": "", "allowCredentials": []} == {**known, "challenge": "", "allowCredentials": []}
    return [await subject.complete_login(subject.sign(known).document())]


@script("auth.opt.challenge-unique")
async def request_challenges_are_long_and_differ(subject: Subject) -> list[httpx2.Response]:
    await subject.register()
    first, second = await subject.begin_login(), await subject.begin_login()
    challenges = [decode(options["challenge"]) for options in (first, second)]
    assert challenges[0] != challenges[1]
    assert min(map(len, challenges)) >= FEWEST_CHALLENGE_BYTES
    return [await subject.complete_login(subject.sign(first).document())]
