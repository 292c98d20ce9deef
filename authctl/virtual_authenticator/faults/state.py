"""Registrations that go wrong between messages: sent twice, too late, at once, for somebody else, with a known id."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import AuthctlError, AuthenticatorError
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.faults.drafts import text
from authctl.virtual_authenticator.faults.interface import play
from authctl.virtual_authenticator.faults.played import Story
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft
    from authctl.virtual_authenticator.faults.stage import Person, Stage
    from authctl.virtual_authenticator.harness.relying_party import Visit

    Finish = Callable[[Visit, object], Reaction]

_PATIENCE_SECONDS: Final = 30.0


def observed(problem: str) -> Reaction:
    """What was seen without an answer to judge, as if the server had refused to do it right."""
    return Reaction(Verdict.REFUSED, 0, problem, 0.0)


def raced(person: Person, messages: Sequence[object], finish: Finish) -> tuple[Reaction, ...]:
    """The reactions to messages that one browser sends at the same moment."""
    visits = [person.visit.branch() for _ in messages]
    barrier = Barrier(len(messages))

    def run(visit: Visit, message: object) -> Reaction:
        barrier.wait(_PATIENCE_SECONDS)
        return finish(visit, message)

    with ThreadPoolExecutor(len(messages)) as runners:
        return tuple(runners.map(run, visits, messages))


def register_by(visit: Visit, message: object) -> Reaction:
    """Finishes a registration."""
    return visit.finish_registration(message)


def for_challenge_of(person: Person, options: Any) -> RegistrationDraft:
    """A registration for this person's options with another's challenge in them."""
    return person.make({**person.visit.begin_registration(), "challenge": options["challenge"]})


def two_answers(person: Person) -> tuple[RegistrationDraft, RegistrationDraft]:
    """Two valid answers to the same options, each with a key and an id of its own, neither sent.

    Sent twice, one answer would be refused for its id alone by servers that never look whether a challenge was used.
    """
    options = person.visit.begin_registration()
    return person.make(options), person.make(options)


@play("reg.state.challenge-replay")
def second_answer_to_a_challenge(stage: Stage) -> Story:
    """Another answer to options that were answered already."""
    person = stage.person()
    first, second = two_answers(person)
    control = person.visit.finish_registration(first.document())
    return Story.of(control, person.visit.finish_registration(second.document()))


@play("reg.state.challenge-replay", "same answer")
def answer_sent_twice(stage: Stage) -> Story:
    """An answer that was accepted, again."""
    person = stage.person()
    draft, control = person.register()
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.replay-other-user")
def answer_sent_for_another(stage: Stage) -> Story:
    """An answer that was accepted, again in the browser of somebody who has begun."""
    person, other = stage.person(), stage.person()
    draft, control = person.register()
    other.visit.begin_registration()
    return Story.of(control, other.visit.finish_registration(draft.document()))


@play("reg.state.challenge-expired")
def answer_too_late(stage: Stage) -> Story:
    """A valid answer after its time."""
    _, control = stage.person().register()
    person = stage.person()
    draft = person.make()
    person.use("expiry", draft.options)
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.challenge-other-session")
def challenge_that_was_issued_to_another(stage: Stage) -> Story:
    """The challenge of another browser."""
    _, control = stage.person().register()
    person, other = stage.person(), stage.person()
    draft = for_challenge_of(person, other.visit.begin_registration())
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.challenge-of-login")
def challenge_of_a_login(stage: Stage) -> Story:
    """A challenge that was issued for somebody's login."""
    somebody = stage.person()
    _, control = somebody.register()
    person = stage.person()
    draft = for_challenge_of(person, somebody.begin_login())
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.challenge-of-login", "same browser")
def challenge_of_a_login_here(stage: Stage) -> Story:
    """A challenge that was issued for a login under the same name in the same browser."""
    _, control = stage.person().register()
    person = stage.person()
    options = person.visit.begin_registration()
    try:
        request = person.begin_login()
    except AuthctlError as error:
        raise NotSupported("Who has no passkey can begin no login here") from error
    draft = person.make({**options, "challenge": request["challenge"]})
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.challenge-client-supplied")
def challenge_of_the_clients_own_making(stage: Stage) -> Story:
    """A challenge that the client made, with copies of it wherever a careless server may look."""
    _, control = stage.person().register()
    person = stage.person()
    own = text(secrets.token_bytes(32))
    document = person.make({**person.visit.begin_registration(), "challenge": own}).document()
    document |= {"challenge": own, "expectedChallenge": own}
    document["response"]["challenge"] = own
    return Story.of(control, person.visit.finish_registration(document))


@play("reg.state.double-submit-race")
def answers_sent_at_once(stage: Stage) -> Story:
    """Two answers to the same options at the same moment."""
    _, control = stage.person().register()
    person = stage.person()
    answers = [draft.document() for draft in two_answers(person)]
    return Story(control, raced(person, answers, register_by))


@play("reg.state.double-submit-race", "same answer")
def answer_sent_at_once(stage: Stage) -> Story:
    """The same answer twice at the same moment."""
    _, control = stage.person().register()
    person = stage.person()
    return Story(control, raced(person, [person.make().document()] * 2, register_by))


@play("reg.state.failed-attempt-reuse")
def challenge_of_a_failed_attempt(stage: Stage) -> Story:
    """A valid answer after one for the same challenge that failed."""
    _, control = stage.person().register()
    person = stage.person()
    draft = person.make()
    valid = draft.document()
    draft.rp_id_hash = bytes(32)
    person.visit.finish_registration(draft.document())
    return Story.of(control, person.visit.finish_registration(valid))


@play("reg.state.dup-credid-same-user")
def id_that_the_user_has(stage: Stage) -> Story:
    """A second passkey with the id of the first."""
    person = stage.person()
    first, control = person.register()
    draft = person.make({**person.visit.begin_registration(), "excludeCredentials": []})
    draft.rename(first.credential_id)
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.dup-credid-other-user")
def id_that_another_has(stage: Stage) -> Story:
    """A first passkey with the id of somebody else's."""
    victim, person = stage.person(), stage.person()
    known, control = victim.register()
    draft = person.make()
    draft.rename(known.credential_id)
    return Story.of(control, person.visit.finish_registration(draft.document()))


@play("reg.state.user-swap")
def answer_in_another_account(stage: Stage) -> Story:
    """An answer that the same browser sends under another name than the one that the options were for."""
    _, control = stage.person().register()
    person, other = stage.person(), stage.person()
    # Also the other name is one that the server has heard of.
    other.visit.begin_registration()
    draft = person.make()
    reaction = person.visit.branch(other.visit.account).finish_registration(draft.document())
    if reaction.verdict is Verdict.ACCEPTED and not _opens(person, draft, other):
        # Whoever keeps the name of the options and does not ask for it again has swapped nothing.
        return Story.of(control, observed("the passkey is not in the other account"))
    return Story.of(control, reaction)


def _opens(person: Person, registered: RegistrationDraft, other: Person) -> bool:
    """Whether the passkey that a person registered opens the account of another."""
    try:
        options = other.begin_login()
    except AuthctlError:
        # Who has no passkey may get no options.
        return False
    listed = ids_in(options, "allowCredentials")
    if listed:
        return registered.credential_id in listed
    own = {"type": "public-key", "id": text(registered.credential_id)}
    draft = person.sign({**options, "allowCredentials": [own]})
    draft.response.pop("userHandle", None)
    return other.visit.finish_login(draft.document()).verdict is Verdict.ACCEPTED


@play("reg.state.existing-account")
def passkey_for_somebody_elses_account(stage: Stage) -> Story:
    """A new passkey for an account that has one, from a browser where nobody is signed in."""
    victim = stage.person()
    _, control = victim.register()
    stranger = stage.person(victim.visit.account)
    try:
        draft = stranger.make()
    except AuthenticatorError:
        raise
    except AuthctlError as error:
        return Story.of(control, observed(error.detail))
    return Story.of(control, stranger.visit.finish_registration(draft.document()))


@play("reg.state.strangers-begin")
def begun_by_a_stranger_in_between(stage: Stage) -> Story:
    """Nothing of the answer: a stranger has begun for the same account in between."""
    person = stage.person()
    draft = person.make()
    stranger = stage.person(person.visit.account)
    stranger.visit.begin_registration()
    reaction = person.visit.finish_registration(draft.document())
    return Story.of(reaction, reaction)


@play("reg.state.exclude-list")
def options_without_the_first_passkey(stage: Stage) -> Story:
    """Options for a second passkey, which have to exclude the first."""
    person = stage.person()
    first, control = person.register()
    if first.credential_id in ids_in(person.visit.begin_registration(), "excludeCredentials"):
        return Story.of(control, control)
    return Story.of(control, observed("the first passkey is not excluded"))


@play("reg.opt.shape")
def creation_options_of_wrong_shape(stage: Stage) -> Story:
    """Nothing: the options are looked at."""
    person = stage.person()
    options = person.visit.begin_registration()
    reaction = person.visit.finish_registration(person.make(options).document())
    problem = problem_of(options)
    return Story.of(reaction, observed(problem) if problem else reaction)


@play("reg.opt.challenge-entropy")
def creation_challenges(stage: Stage) -> Story:
    """Nothing: two challenges are looked at."""
    person = stage.person()
    problem = problem_of_challenges([person.visit.begin_registration() for _ in range(2)])
    _, reaction = stage.person().register()
    return Story.of(reaction, observed(problem) if problem else reaction)


@play("reg.opt.user-handle")
def user_handle_that_tells(stage: Stage) -> Story:
    """Nothing: the user handle is looked at, which must not tell who the user is."""
    person = stage.person()
    options = person.visit.begin_registration()
    reaction = person.visit.finish_registration(person.make(options).document())
    handle = decode(options["user"]["id"])
    tells = person.visit.account.email.encode() in handle
    return Story.of(reaction, observed("the user handle is the e-mail") if tells else reaction)


def ids_in(options: Mapping[str, Any], name: str) -> list[bytes]:
    """The credential ids of a list in options, but for entries that are none."""
    listed = options.get(name)
    entries = listed if isinstance(listed, list) else []
    texts = [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    found = []
    for written in texts:
        with suppress(ValueError):
            found.append(decode(written))
    return found


def problem_of_challenges(several: list[Any]) -> str:
    """What is wrong with these options' challenges, empty when nothing is (§13.4.3)."""
    challenges = [decode(options["challenge"]) for options in several]
    if len({*challenges}) < len(challenges):
        return "the challenge comes again"
    return "a challenge has fewer than 16 bytes" if min(map(len, challenges)) < 16 else ""


def problem_of(options: Any) -> str:
    """What is wrong with creation options, empty when nothing is (§5.4)."""
    user, relying_party, offers = options.get("user"), options.get("rp"), options.get("pubKeyCredParams")
    if not isinstance(relying_party, dict) or not isinstance(relying_party.get("name"), str):
        return "rp has no name"
    if not isinstance(user, dict) or not all(isinstance(user.get(name), str) for name in ("name", "displayName")):
        return "user has no name or no displayName"
    if not isinstance(user.get("id"), str) or not 1 <= len(decode(user["id"])) <= 64:
        return "user.id has not 1 to 64 bytes"
    if not isinstance(offers, list) or not offers:
        return "pubKeyCredParams offers nothing"
    good = all(isinstance(offer, dict) for offer in offers) and all(
        offer.get("type") == "public-key" and type(offer.get("alg")) is int for offer in offers
    )
    return "" if good else "pubKeyCredParams has an entry of another type"
