"""R-WA-23, V-02, V-18: who may see, add, rename and remove whose passkeys, request by request."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from authctl.clock import FixedClock
from authctl.errors import AuditUnavailable
from authctl.server.accounts import credential_access, credentials
from authctl.server.audit.events import Caller
from authctl.server.ceremonies import adding
from authctl.server.http.problems import STEP_UP
from tests.builders import JANE, JOHN, PEER, Instance, Visitor
from tests.journeys.own_passkeys import MINE, add_passkey, ask, begin, complete, listed, signed_in, with_another_device

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
NOBODY = "00000000-0000-4000-8000-000000000000"


class Request(NamedTuple):
    """One of the routes, as somebody calls it for somebody's passkey; `event` tells of it in the trail."""

    method: str
    path: str
    event: str
    body: dict[str, Any] | None = None
    wants_fresh_login: bool = False

    def send(self, visitor: Visitor, owner: Visitor, credential_id: str = NOBODY, token: str | None = None) -> Any:
        """The answer; the token is the visitor's own, unless another one or none ("") is given."""
        bearer = visitor.token if token is None else token
        path = self.path.format(id=owner.id, credential_id=credential_id)
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        more = {} if self.body is None else {"json": self.body}
        return visitor.service.call(self.method, path, headers=headers, **more)


OWN = (
    Request("GET", MINE, "user_access"),
    Request("POST", f"{MINE}/begin", "credential_begin", {}, wants_fresh_login=True),
    Request("POST", f"{MINE}/complete", "credential_added", {"credential": {}}, wants_fresh_login=True),
    Request("PATCH", f"{MINE}/{{credential_id}}", "credential_renamed", {"name": "x"}),
    Request("DELETE", f"{MINE}/{{credential_id}}", "credential_removed", wants_fresh_login=True),
)
OF_SOMEBODY = (
    Request("GET", "/users/{id}/credentials", "user_access"),
    Request("PATCH", "/users/{id}/credentials/{credential_id}", "credential_renamed", {"name": "x"}),
    Request("DELETE", "/users/{id}/credentials/{credential_id}", "credential_removed", wants_fresh_login=True),
)
CHANGING = tuple(one for one in OWN + OF_SOMEBODY if "credential_id" in one.path)
FRESH = tuple(one for one in OWN + OF_SOMEBODY if one.wants_fresh_login)


def promote(visitor: Visitor) -> None:
    """Makes somebody an admin and logs them in as one."""
    asyncio.run(visitor.service.service.roles.promote(visitor.email, OPERATOR))  # type: ignore[attr-defined]
    visitor.log_in()


def held(instance: Instance) -> list[tuple[object, ...]]:
    """Every passkey as it is stored."""

    def rows(tx: Any) -> list[tuple[object, ...]]:
        users = tx.users.all()
        return [(one.id, one.name, one.removed_at) for user in users for one in tx.credentials.of_user(user.id)]

    return instance.service.database.read_now(rows)


@pytest.fixture
def jane(instance: Instance) -> Visitor:
    """Somebody with two passkeys who has just logged in."""
    visitor = signed_in(instance)
    add_passkey(visitor)
    return visitor


def told(instance: Instance) -> tuple[str, int, str | None]:
    """The one event since the last look."""
    (event,) = instance.new_events()
    return event.event_type, event.success, event.reason


def test_nobody_manages_passkeys_without_a_token(instance: Instance, jane: Visitor) -> None:
    """V-02."""
    ids, before = [one["id"] for one in listed(jane)], held(instance)
    instance.new_events()
    for request in OWN + OF_SOMEBODY:
        answer = request.send(jane, jane, ids[0], token="")
        assert (answer.status_code, answer.json()["detail"]) == (401, "Not authenticated"), request
        assert answer.headers["www-authenticate"] == "Bearer"
        assert told(instance) == (request.event, 0, "not_authenticated")
    assert held(instance) == before


@pytest.mark.parametrize("kind", ["garbled", "ended", "disabled", "deleted"])
def test_nobody_manages_passkeys_with_a_token_that_is_worth_nothing(
    instance: Instance, jane: Visitor, kind: str
) -> None:
    """V-02, D-8: from the next request on."""
    ids, before = [one["id"] for one in listed(jane)], held(instance)
    users = instance.service.users
    if kind == "ended":
        asyncio.run(users.logout(JANE, OPERATOR))
    elif kind == "disabled":
        asyncio.run(users.disable(JANE, OPERATOR))
    elif kind == "deleted":
        asyncio.run(users.delete(JANE, OPERATOR))
        before = []
    instance.new_events()
    token = f"{jane.token}x" if kind == "garbled" else None
    for request in OWN + OF_SOMEBODY:
        answer = request.send(jane, jane, ids[0], token)
        assert (answer.status_code, answer.json()["detail"]) == (401, "Could not validate credentials"), request
        assert told(instance)[:2] == ("token_rejected", 0)
    assert held(instance) == before


def test_a_body_that_is_refused_is_told_of_whoever_brought_the_token(instance: Instance, jane: Visitor) -> None:
    """R-LG-03: otherwise neither a question about the person nor their erasure would find it."""
    instance.new_events()
    (own, *_) = listed(jane)
    instance.new_events()
    assert ask(jane, "PATCH", f"{MINE}/{own['id']}", json={"name": ""}).status_code == 422
    (event,) = instance.new_events()
    assert (event.event_type, event.reason) == ("credential_renamed", "invalid_request")
    assert (event.user_email, event.user_id, event.actor) == (JANE, jane.id, jane.id)


@pytest.mark.parametrize("request_", OF_SOMEBODY, ids=lambda one: one.method)
@pytest.mark.parametrize("whose", ["another user's", "nobody's"])
def test_a_user_manages_no_passkeys_of_others(instance: Instance, jane: Visitor, request_: Request, whose: str) -> None:
    """R-AZ-04, R-EN-06: one answer, whether the user and the passkey exist or not."""
    john = signed_in(instance, JOHN)
    ids, before = [one["id"] for one in listed(jane)], held(instance)
    owner = jane if whose == "another user's" else Visitor(instance, id=NOBODY)
    instance.new_events()
    for credential_id in (ids[0], NOBODY):
        answer = request_.send(john, owner, credential_id)
        assert answer.status_code == 403
        assert answer.json()["detail"] == "You don't have permission to access this resource"
        (event,) = instance.new_events()
        assert (event.event_type, event.success, event.reason) == (request_.event, 0, "access_denied")
        assert (event.user_email, event.user_id, event.target_user_id, event.actor) == (
            JOHN,
            john.id,
            owner.id,
            john.id,
        )
        assert event.details is not None
        assert event.details.startswith(f"Authorization failed: User {JOHN} (role: user) attempted to ")
        assert event.details.endswith(f" of user {owner.id} from IP: {PEER}")
    assert held(instance) == before


@pytest.mark.parametrize("request_", CHANGING, ids=lambda one: f"{one.method} {one.path}")
def test_another_users_passkey_is_as_unknown_as_one_that_is_none(
    instance: Instance, jane: Visitor, request_: Request
) -> None:
    """V-18: the same answer for another user's id, a removed one and one that nobody has, below one's own account."""
    john = signed_in(instance, JOHN)
    _, removed = add_passkey(john)
    assert ask(john, "DELETE", f"{MINE}/{removed['id']}").status_code == 204
    before = held(instance)
    instance.new_events()
    answers = set()
    for credential_id in (listed(jane)[0]["id"], removed["id"], NOBODY, "x", "%00", "x" * 500):
        instance.new_events()
        answer = request_.send(john, john, credential_id)
        document = {name: value for name, value in answer.json().items() if name != "instance"}
        answers.add((answer.status_code, str(document), str(sorted(set(answer.headers) - {"x-request-id"}))))
        (event,) = instance.new_events()
        assert (event.event_type, event.success, event.reason) == (request_.event, 0, "unknown_credential")
        assert (event.user_id, event.actor, event.target_user_id) == (john.id, john.id, None)
    ((status, told_to_all, _),) = answers
    assert (status, "'urn:authctl:problem:not-found'" in told_to_all) == (404, True)
    assert held(instance) == before


def test_what_changes_the_way_in_wants_a_login_of_the_last_five_minutes(instance: Instance, jane: Visitor) -> None:
    """R-WA-23, RFC 9470: not an older one, whoever asks."""
    assert STEP_UP == b'Bearer error="insufficient_user_authentication", max_age=300'
    ids, before = [one["id"] for one in listed(jane)], held(instance)
    assert isinstance(instance.clock, FixedClock)
    instance.clock.advance(301)
    instance.new_events()
    for request in FRESH:
        answer = request.send(jane, jane, ids[0])
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:authctl:problem:login-too-old"), request
        assert answer.headers["www-authenticate"] == STEP_UP.decode()
        assert told(instance) == (request.event, 0, "login_too_old")
    boss = signed_in(instance, JOHN)
    promote(boss)
    instance.clock.advance(301)
    for request in OF_SOMEBODY:
        assert request.send(boss, jane, ids[0]).status_code == (401 if request.wants_fresh_login else 200), request
    assert {one[0]: one[2] for one in held(instance)}.items() >= {one[0]: one[2] for one in before}.items()


def test_a_login_of_five_minutes_ago_is_recent_enough(instance: Instance, jane: Visitor) -> None:
    assert isinstance(instance.clock, FixedClock)
    instance.clock.advance(300)
    for request in FRESH:
        assert request.send(jane, jane).status_code != 401, request


def test_seeing_and_renaming_want_no_recent_login(instance: Instance, jane: Visitor) -> None:
    (first, _) = listed(jane)
    assert isinstance(instance.clock, FixedClock)
    instance.clock.advance(3000)
    assert ask(jane, "PATCH", f"{MINE}/{first['id']}", json={"name": "Old"}).status_code == 200
    assert "Old" in {one["name"] for one in listed(jane)}


def test_a_recent_login_is_judged_again_at_complete(instance: Instance, jane: Visitor) -> None:
    """The challenge is used up all the same; after a new login the ceremony starts anew."""
    assert isinstance(instance.clock, FixedClock)
    instance.clock.advance(200)
    credential = with_another_device(jane).browser.create(begin(jane))
    instance.clock.advance(200)
    assert complete(jane, credential).json()["type"] == "urn:authctl:problem:login-too-old"
    jane.log_in()
    instance.new_events()
    assert complete(jane, credential).status_code == 400
    assert told(instance) == ("credential_added", 0, "challenge_unknown")


@pytest.mark.parametrize("how", ["disabled", "ended"])
def test_a_ceremony_completes_for_nobody_who_was_shut_out_meanwhile(
    instance: Instance, jane: Visitor, how: str
) -> None:
    before = held(instance)
    credential = with_another_device(jane).browser.create(begin(jane))
    users = instance.service.users
    asyncio.run(users.disable(JANE, OPERATOR) if how == "disabled" else users.logout(JANE, OPERATOR))
    assert complete(jane, credential).status_code == 401
    assert held(instance) == before


class TestAdmins:
    """They manage the passkeys of others, soon after a login, and never add one."""

    def test_an_admin_sees_renames_and_removes(self, each_instance: Instance) -> None:
        jane = signed_in(each_instance)
        _, second = add_passkey(jane, name="Phone")
        boss = signed_in(each_instance, JOHN, first_name="John", last_name="Boss")
        promote(boss)
        path = f"/users/{jane.id}/credentials"
        each_instance.new_events()
        assert {one["name"] for one in listed(boss, path)} == {"Passkey", "Phone"}
        (seen,) = each_instance.new_events()
        assert (seen.event_type, seen.success, seen.user_id, seen.target_user_id) == (
            "user_access",
            1,
            boss.id,
            jane.id,
        )
        assert seen.details == f"Passkeys of user Jane Doe accessed by John Boss (role: admin) from IP: {PEER}"

        assert ask(boss, "PATCH", f"{path}/{second['id']}", json={"name": 'Lost" by'}).status_code == 200
        (renamed,) = each_instance.new_events()
        who = (renamed.user_email, renamed.user_id, renamed.actor, renamed.target_user_id)
        assert who == (JANE, jane.id, boss.id, boss.id)
        assert renamed.details == (
            f'Passkey "Phone" ({second["id"]}) of user Jane Doe renamed to "Lost\' by" '
            f"by John Boss (role: admin) from IP: {PEER}"
        )
        assert ask(boss, "DELETE", f"{path}/{second['id']}").status_code == 204
        (removed,) = each_instance.new_events()
        assert (removed.event_type, removed.success, removed.user_id) == ("credential_removed", 1, jane.id)
        assert removed.details == (
            f'Passkey "Lost\' by" ({second["id"]}) of user Jane Doe removed with 0 sessions '
            f"by John Boss (role: admin) from IP: {PEER}"
        )
        (last,) = listed(boss, path)
        assert ask(boss, "DELETE", f"{path}/{last['id']}").status_code == 409
        assert jane.see().status_code == 200

    @pytest.mark.parametrize("request_", OF_SOMEBODY, ids=lambda one: one.method)
    @pytest.mark.parametrize("asked", [NOBODY, "x", "%00"])
    def test_an_admin_is_told_when_there_is_no_such_user(
        self, each_instance: Instance, request_: Request, asked: str
    ) -> None:
        boss = signed_in(each_instance, JOHN)
        promote(boss)
        each_instance.new_events()
        assert request_.send(boss, Visitor(each_instance, id=asked)).status_code == 404
        assert told(each_instance) == (request_.event, 0, "unknown_user")

    @pytest.mark.parametrize("request_", OF_SOMEBODY, ids=lambda one: one.method)
    def test_a_demoted_admin_manages_only_their_own(self, instance: Instance, jane: Visitor, request_: Request) -> None:
        """D-8: from the next request on, with the token of before."""
        boss = signed_in(instance, JOHN)
        promote(boss)
        ids, before = [one["id"] for one in listed(jane)], held(instance)
        asyncio.run(instance.service.roles.demote(JOHN, OPERATOR, allow_no_admin=True))
        assert request_.send(boss, jane, ids[0]).status_code == 403
        assert held(instance) == before

    def test_an_admin_finds_a_passkey_below_its_own_user_only(self, instance: Instance, jane: Visitor) -> None:
        """V-18."""
        boss = signed_in(instance, JOHN)
        promote(boss)
        (mine, *_), before = listed(jane), held(instance)
        assert ask(boss, "DELETE", f"/users/{boss.id}/credentials/{mine['id']}").status_code == 404
        assert held(instance) == before


def test_by_ones_own_id_it_is_the_same_as_by_me(instance: Instance, jane: Visitor) -> None:
    path = f"/users/{jane.id}/credentials"
    assert listed(jane, path) == listed(jane)
    (first, second) = listed(jane)
    assert ask(jane, "PATCH", f"{path}/{first['id']}", json={"name": "Mine"}).json()["name"] == "Mine"
    (used,) = (one for one in listed(jane) if one["last_used_at"] is not None)
    (other,) = (one for one in (first, second) if one["id"] != used["id"])
    assert ask(jane, "DELETE", f"{path}/{other['id']}").status_code == 204


def test_nothing_changes_when_the_trail_cannot_be_written(
    instance: Instance, jane: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-LG-01."""
    ids, before = [one["id"] for one in listed(jane)], held(instance)

    def refuse(*_: object, **__: object) -> None:
        raise AuditUnavailable

    for module in (credential_access, credentials, adding):
        monkeypatch.setattr(module, "record", refuse)
    for request in OWN + OF_SOMEBODY:
        for token in (None, ""):
            assert request.send(jane, jane, ids[0], token).status_code == 503, request
    assert held(instance) == before


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 101, "a\u202eb", "line\nbreak", None, 7, ["x"]], ids=lambda name: repr(name)[:12]
)
def test_a_name_is_refused_when_it_is_no_name(instance: Instance, jane: Visitor, name: object) -> None:
    """R-IN-05."""
    (first, _), before = listed(jane), held(instance)
    instance.new_events()
    answer = ask(jane, "PATCH", f"{MINE}/{first['id']}", json={"name": name})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")
    (event,) = instance.new_events()
    assert (event.event_type, event.reason) == ("credential_renamed", "invalid_request")
    assert event.details == f"Renaming of a passkey refused from IP: {PEER}: invalid request"
    if name is not None:
        credential = with_another_device(jane).browser.create(begin(jane))
        assert complete(jane, credential, name=name).status_code == 422
    assert held(instance) == before


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "שלום", "=HYPERLINK(1)", "ключ 🔑", "x" * 100])
def test_a_name_is_kept_as_it_was_given(each_instance: Instance, name: str) -> None:
    jane = signed_in(each_instance)
    _, document = add_passkey(jane, name=name)
    assert document["name"] == name
    assert name in {one["name"] for one in listed(jane)}
