"""Registrations that go wrong over time: answers sent twice, too late, for somebody else, or with a known id."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.base64url import decode
from tests.attacks.drafts import text
from tests.attacks.registry import script

if TYPE_CHECKING:
    import httpx2

    from tests.attacks.laboratory import Subject

CHALLENGE_SECONDS = 300
FEWEST_CHALLENGE_BYTES = 16


@script("reg.state.challenge-replay")
async def answer_sent_twice(subject: Subject) -> list[httpx2.Response]:
    return [await subject.complete_registration(await subject.register())]


@script("reg.state.challenge-expired")
async def answer_too_late(subject: Subject) -> list[httpx2.Response]:
    await subject.other().register()
    credential = subject.make(await subject.begin_registration()).document()
    subject.lab.clock.advance(CHALLENGE_SECONDS)
    return [await subject.complete_registration(credential)]


@script("reg.state.challenge-other-session")
async def challenge_that_was_issued_to_another(subject: Subject) -> list[httpx2.Response]:
    other = subject.other()
    await subject.other().register()
    challenge = (await other.begin_registration())["challenge"]
    credential = subject.make({**await subject.begin_registration(), "challenge": challenge}).document()
    return [await subject.complete_registration(credential)]


@script("reg.state.challenge-client-supplied", "beside the client data")
async def challenge_of_the_clients_own_making(subject: Subject) -> list[httpx2.Response]:
    await subject.other().register()
    options = await subject.begin_registration()
    own = text(secrets.token_bytes(32))
    credential = subject.make({**options, "challenge": own}).document()
    credential |= {"challenge": own, "expectedChallenge": own}
    credential["response"]["challenge"] = own
    return [await subject.complete_registration(credential)]


@script("reg.state.challenge-client-supplied", "as a member of the body")
async def challenge_of_the_clients_own_making_in_the_body(subject: Subject) -> list[httpx2.Response]:
    await subject.other().register()
    own = text(secrets.token_bytes(32))
    credential = subject.make({**await subject.begin_registration(), "challenge": own}).document()
    body = {"email": subject.email, "credential": credential, "challenge": own}
    return [await subject.lab.post("/register/complete", body)]


@script("reg.state.double-submit-race")
async def answer_sent_by_two_at_once(subject: Subject) -> list[httpx2.Response]:
    credential = subject.make(await subject.begin_registration()).document()
    body = {"email": subject.email, "credential": credential}
    return await subject.lab.post_at_once("/register/complete", body)


@script("reg.state.dup-credid-same-user")
async def credential_id_that_the_user_has(subject: Subject) -> list[httpx2.Response]:
    known = decode((await subject.register())["rawId"])
    draft = subject.make(await subject.begin_registration())
    draft.rename(known)
    return [await subject.complete_registration(draft.document())]


@script("reg.state.dup-credid-other-user")
async def credential_id_that_another_user_has(subject: Subject) -> list[httpx2.Response]:
    known = decode((await subject.other().register())["rawId"])
    draft = subject.make(await subject.begin_registration())
    draft.rename(known)
    return [await subject.complete_registration(draft.document())]


@script("reg.state.user-swap")
async def answer_for_another_user(subject: Subject) -> list[httpx2.Response]:
    other = subject.other()
    await subject.other().register()
    credential = subject.make(await subject.begin_registration()).document()
    return [await other.complete_registration(credential)]


@script("reg.env.not-an-object", "whole body")
async def body_is_array(subject: Subject) -> list[httpx2.Response]:
    await subject.other().register()
    credential = subject.make(await subject.begin_registration()).document()
    return [await subject.lab.post("/register/complete", [{"email": subject.email, "credential": credential}])]


@script("reg.opt.shape")
async def creation_options_have_their_shape(subject: Subject) -> list[httpx2.Response]:
    options = await subject.begin_registration()
    assert isinstance(options["rp"]["name"], str)
    assert options["rp"]["id"] == "example.org"
    assert 1 <= len(decode(options["user"]["id"])) <= 64
    assert isinstance(options["user"]["name"], str)
    assert isinstance(options["user"]["displayName"], str)
    assert decode(options["challenge"])
    assert [offer["type"] for offer in options["pubKeyCredParams"]] == ["public-key"] * 3
    assert all(isinstance(offer["alg"], int) for offer in options["pubKeyCredParams"])
    return [await subject.complete_registration(subject.make(options).document())]


@script("reg.opt.challenge-entropy")
async def creation_challenges_are_long_and_differ(subject: Subject) -> list[httpx2.Response]:
    first, second = await subject.begin_registration(), await subject.begin_registration()
    challenges = [decode(options["challenge"]) for options in (first, second)]
    assert challenges[0] != challenges[1]
    assert min(map(len, challenges)) >= FEWEST_CHALLENGE_BYTES
    return [await subject.complete_registration(subject.make(second).document())]
