"""Logins that go wrong between messages or people: replays, races, other people's passkeys, accounts that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.errors import AuthctlError, AuthenticatorError
from authctl.virtual_authenticator.authenticator.gesture import Gesture
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.faults.cose_key import X
from authctl.virtual_authenticator.faults.drafts import AssertionDraft, text
from authctl.virtual_authenticator.faults.interface import Layer, play
from authctl.virtual_authenticator.faults.played import Story
from authctl.virtual_authenticator.faults.state import ids_in, observed, problem_of_challenges, raced
from authctl.virtual_authenticator.faults.weak_keys import IDENTITY

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft
    from authctl.virtual_authenticator.faults.stage import Person, Stage
    from authctl.virtual_authenticator.harness.relying_party import Reaction, Visit


def login_by(visit: Visit, message: object) -> Reaction:
    """Finishes a login."""
    return visit.finish_login(message)


def member(stage: Stage) -> tuple[Person, AssertionDraft, Reaction]:
    """Somebody who has registered and logged in, the login, and the reaction to it."""
    person = stage.person()
    person.register()
    return person, *person.log_in()


def with_challenge(person: Person, options: Any, gesture: Gesture | None = None) -> AssertionDraft:
    """An assertion for this person's options with another's challenge in them."""
    return person.sign({**person.begin_login(), "challenge": options["challenge"]}, gesture)


def without_list(options: Any) -> dict[str, Any]:
    """The options without their list of passkeys, as a client that does what it likes reads them."""
    return {**options, "allowCredentials": []}


@play("auth.state.replay")
def assertion_sent_twice(stage: Stage) -> Story:
    """An assertion that was accepted, again."""
    person, draft, control = member(stage)
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.replay", "beside a live challenge")
def assertion_sent_again_after_a_begin(stage: Stage) -> Story:
    """An assertion that was accepted, again after another login was begun."""
    person, draft, control = member(stage)
    person.begin_login()
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.race")
def assertion_sent_at_once(stage: Stage) -> Story:
    """The same assertion twice at the same moment."""
    person, _, control = member(stage)
    return Story(control, raced(person, [person.sign().document()] * 2, login_by))


@play("auth.state.challenge-expired")
def assertion_too_late(stage: Stage) -> Story:
    """A valid assertion after its time."""
    person, _, control = member(stage)
    draft = person.sign()
    person.use("expiry", draft.options)
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.other-session", "begun by another user")
def challenge_that_was_issued_to_another(stage: Stage) -> Story:
    """The challenge of another user's login."""
    other, _, _ = member(stage)
    person, _, control = member(stage)
    draft = with_challenge(person, other.begin_login())
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.other-session", "begun without a name")
def challenge_that_was_issued_to_whoever_comes(stage: Stage) -> Story:
    """The challenge of a login for whoever comes, in one for a user."""
    person, _, control = member(stage)
    passer_by = stage.person()
    draft = with_challenge(person, passer_by.visit.begin_login(named=False))
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.other-session", "same user")
def challenge_of_another_browser_of_the_user(stage: Stage) -> Story:
    """The challenge of another browser in which the same user's name was typed."""
    person, _, control = member(stage)
    stranger = stage.person(person.visit.account)
    draft = with_challenge(person, stranger.begin_login())
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.challenge-of-registration")
def challenge_of_a_registration(stage: Stage) -> Story:
    """A challenge that was issued for somebody's registration."""
    person, _, control = member(stage)
    draft = with_challenge(person, stage.person().visit.begin_registration())
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.challenge-of-registration", "same browser")
def challenge_of_a_registration_here(stage: Stage) -> Story:
    """A challenge that was issued for a registration under the same name in the same browser."""
    person, _, control = member(stage)
    options = person.begin_login()
    creation = person.visit.begin_registration()
    draft = person.sign({**options, "challenge": creation["challenge"]})
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.challenge-live-swap", "captured as it was")
def captured_assertion_beside_a_live_challenge(stage: Stage) -> Story:
    """A captured assertion with a live challenge beside it."""
    person, draft, control = member(stage)
    captured = {**draft.document(), "challenge": person.begin_login()["challenge"]}
    return Story.of(control, person.visit.finish_login(captured))


@play("auth.state.challenge-live-swap", "challenge put into the client data")
def live_challenge_in_captured_client_data(stage: Stage) -> Story:
    """A captured assertion with a live challenge written into its client data."""
    person, draft, control = member(stage)
    draft.seal()
    draft.client["challenge"] = person.begin_login()["challenge"]
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.state.uv-downgrade")
def client_that_asks_for_less(stage: Stage) -> Story:
    """An assertion without user verification, by a client that told its authenticator to do without."""
    person, _, control = member(stage)
    options = {**person.begin_login(), "userVerification": "discouraged"}
    valid = person.client.get(options, gesture=Gesture(is_user_verified=False))
    return Story.of(control, person.visit.finish_login(valid))


@play("auth.state.failed-attempt-reuse")
def challenge_of_a_failed_attempt(stage: Stage) -> Story:
    """A valid assertion after one for the same challenge that failed."""
    person, _, control = member(stage)
    draft = person.sign()
    valid = draft.document()
    draft.signature = b"\x30\x00"
    person.visit.finish_login(draft.document())
    return Story.of(control, person.visit.finish_login(valid))


@play("auth.id.other-users-credential")
def passkey_of_another_user(stage: Stage) -> Story:
    """A valid assertion of another user in a login begun for this one."""
    other, _, control = member(stage)
    victim, _, _ = member(stage)
    draft = other.sign(without_list(victim.begin_login()))
    return Story.of(control, victim.visit.finish_login(draft.document()))


@play("auth.id.other-users-credential", "without a user handle")
def passkey_of_another_user_without_handle(stage: Stage) -> Story:
    """The same, with the user handle left out."""
    other, _, control = member(stage)
    victim, _, _ = member(stage)
    draft = other.sign(without_list(victim.begin_login()))
    draft.response.pop("userHandle", None)
    return Story.of(control, victim.visit.finish_login(draft.document()))


@play("auth.id.other-users-credential", "under the victim's id")
def signature_under_the_victims_id(stage: Stage) -> Story:
    """The victim's credential id over a signature of the attacker's key."""
    other, _, control = member(stage)
    victim, known, _ = member(stage)
    draft = other.sign(without_list(victim.begin_login()))
    draft.envelope |= {name: known.envelope[name] for name in ("id", "rawId")}
    return Story.of(control, victim.visit.finish_login(draft.document()))


@play("auth.id.unknown-user")
def passkey_in_a_login_for_nobody(stage: Stage) -> Story:
    """A valid assertion in a login that was begun for a name that nobody has."""
    attacker, _, control = member(stage)
    nobody = stage.person()
    try:
        options = nobody.begin_login()
    except AuthctlError as error:
        return Story.of(control, observed(error.detail))
    draft = attacker.sign(without_list(options))
    return Story.of(control, nobody.visit.finish_login(draft.document()))


@play("auth.id.userhandle-of-victim")
def user_handle_of_another_user(stage: Stage) -> Story:
    """The attacker's own passkey with the user handle of somebody else."""
    _, known, _ = member(stage)
    attacker, _, control = member(stage)
    draft = attacker.sign()
    draft.response["userHandle"] = known.response.get("userHandle", text(b"victim"))
    return Story.of(control, attacker.visit.finish_login(draft.document()))


@play("auth.id.deleted-credential")
def passkey_that_was_removed(stage: Stage) -> Story:
    """A passkey that was removed after the login had begun."""
    person, _, control = member(stage)
    draft = person.sign()
    person.use("delete-passkey", draft.document())
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.id.disabled-user", "disabled")
def account_that_is_disabled(stage: Stage) -> Story:
    """An account that was disabled after the login had begun."""
    person, _, control = member(stage)
    draft = person.sign()
    person.use("disable-user")
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.id.disabled-user", "deleted")
def account_that_is_deleted(stage: Stage) -> Story:
    """An account that was deleted after the login had begun."""
    person, _, control = member(stage)
    draft = person.sign()
    person.use("delete-user")
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.id.id-swap-after-sign")
def id_of_another_passkey_of_the_user(stage: Stage) -> Story:
    """The id of another passkey of the same user over a signature of the first."""
    person, _, control = member(stage)
    draft = person.sign()
    another = stage.person(person.visit.account)
    second = another.make({**person.visit.begin_registration(), "excludeCredentials": []})
    person.add_passkey(second)
    fresh = person.sign()
    fresh.private = draft.private
    fresh.envelope |= {name: second.envelope[name] for name in ("id", "rawId")}
    return Story.of(control, person.visit.finish_login(fresh.document()))


@play("auth.id.enrolled-after-begin")
def passkey_that_came_after_the_options(stage: Stage) -> Story:
    """A passkey of the user that was added after the login had begun, so that its list does not name it."""
    person, _, control = member(stage)
    options = person.begin_login()
    another = stage.person(person.visit.account)
    second = another.make({**person.visit.begin_registration(), "excludeCredentials": []})
    person.add_passkey(second)
    draft = another.sign({**options, "allowCredentials": [{"type": "public-key", "id": second.envelope["id"]}]})
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.sig.ed-small-order-forgery", layer=Layer.SIGNATURE)
def signature_that_fits_every_message(stage: Stage) -> Story:
    """A key that is the neutral element, and the one signature that anybody can make for it."""
    _, _, control = member(stage)
    person = stage.person()
    registration = person.make()
    registration.cose[X] = IDENTITY
    person.visit.finish_registration(registration.document())
    draft = person.sign(_naming(person.begin_login(), registration))
    draft.signature = IDENTITY + bytes(32)
    return Story.of(control, person.visit.finish_login(draft.document()))


@play("auth.ad.counter-wrap", layer=Layer.AUTHENTICATOR_DATA)
def count_that_starts_again(stage: Stage) -> Story:
    """A count of one after the largest that there is."""
    person = stage.person()
    registration = person.make()
    registration.sign_count = 0xFFFFFFFF
    control = person.visit.finish_registration(registration.document())
    draft = person.sign()
    draft.sign_count = 1
    return Story.of(control, person.visit.finish_login(draft.document()))


def _naming(options: Any, registration: RegistrationDraft) -> dict[str, Any]:
    return {**options, "allowCredentials": [{"type": "public-key", "id": text(registration.credential_id)}]}


@play("auth.opt.unknown-user")
def request_options_for_nobody(stage: Stage) -> Story:
    """Nothing: options for a name that nobody has are compared with those for a name that somebody has."""
    person, _, reaction = member(stage)
    stranger = stage.person()
    try:
        known, unknown, again = person.begin_login(), stranger.begin_login(), stranger.begin_login()
    except AuthenticatorError:
        raise
    except AuthctlError as error:
        return Story.of(reaction, observed(error.detail))
    problem = difference(known, unknown, again)
    return Story.of(reaction, observed(problem) if problem else reaction)


def difference(known: Any, unknown: Any, again: Any) -> str:
    """What tells options for an unknown user, twice, from those for a known one; empty when nothing does."""
    if {*known} != {*unknown}:
        return "options for an unknown user have other members"
    if bool(known.get("allowCredentials")) != bool(unknown.get("allowCredentials")):
        return "options for an unknown user list no passkeys"
    if unknown.get("allowCredentials") != again.get("allowCredentials"):
        return "options for an unknown user list other passkeys every time"
    of_known, of_unknown = ({*entry} for entry in (_first(known), _first(unknown)))
    return "" if of_known == of_unknown else "the passkeys of an unknown user have other members"


def _first(options: Any) -> dict[str, Any]:
    listed = options.get("allowCredentials")
    first = listed[0] if isinstance(listed, list) and listed else {}
    return first if isinstance(first, dict) else {}


@play("auth.opt.challenge-unique")
def request_challenges(stage: Stage) -> Story:
    """Nothing: two challenges are looked at."""
    person, _, reaction = member(stage)
    problem = problem_of_challenges([person.begin_login() for _ in range(2)])
    return Story.of(reaction, observed(problem) if problem else reaction)


@play("auth.opt.lists-the-passkey")
def request_options_without_the_passkey(stage: Stage) -> Story:
    """Nothing: the options for a user have to list the passkey that the user has."""
    person, draft, reaction = member(stage)
    if decode(draft.envelope["rawId"]) in ids_in(person.begin_login(), "allowCredentials"):
        return Story.of(reaction, reaction)
    return Story.of(reaction, observed("the options do not list the user's passkey"))


@play("auth.opt.strangers-begin")
def login_begun_by_a_stranger_in_between(stage: Stage) -> Story:
    """Nothing of the assertion: a stranger has begun a login for the same user in between."""
    person, _, control = member(stage)
    draft = person.sign()
    stage.person(person.visit.account).begin_login()
    return Story.of(control, person.visit.finish_login(draft.document()))
