"""What a user may see, from the first registration to the last demotion."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.audit.events import Caller
from tests.builders import JANE, JOHN, Visitor, person
from tests.journeys.sql import execute

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from authctl.server.service import Service
    from tests.builders import Instance

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
FORBIDDEN = "You don't have permission to access this resource"


def both_in(instance: Instance) -> tuple[Visitor, Visitor]:
    """Two users, logged in."""
    jane, john = Visitor(instance), Visitor(instance, JOHN)
    for visitor, first_name in ((jane, "Jane"), (john, "John")):
        visitor.register(first_name=first_name)
        visitor.log_in()
    return jane, john


def test_a_user_registers_logs_in_and_sees_only_themselves(each_instance: Instance) -> None:
    """R-AZ-06, R-EN-06: the documented members and no other; every id but one's own gets one answer."""
    jane, john = both_in(each_instance)
    me = jane.see()
    assert me.status_code == 200
    assert me.json() == {
        **person(JANE),
        "id": jane.id,
        "date_of_birth": "1990-12-31T00:00:00Z",
        "role": "user",
        "created_at": "2026-01-01T00:00:00Z",
    }
    assert jane.see(jane.id).json() == me.json()
    others = [jane.see(other) for other in (john.id, "00000000-0000-4000-8000-000000000000", "no-id", "%00")]
    assert {answer.status_code for answer in others} == {403}
    assert {answer.json()["detail"] for answer in others} == {FORBIDDEN}
    assert each_instance.is_intact()


def test_nobody_is_let_in_without_a_token(each_instance: Instance) -> None:
    """R-ER-01, R-TK-08."""
    jane, _ = both_in(each_instance)
    missing = each_instance.call("GET", "/users/me")
    assert (missing.status_code, missing.json()["detail"]) == (401, "Not authenticated")
    for token in ("", "x", jane.token[:-4] + "AAAA", f"{jane.token}x", "x" * 16_000):
        refused = jane.see(token=token)
        assert (refused.status_code, refused.json()["detail"]) == (401, "Could not validate credentials")
        assert refused.headers["www-authenticate"] == "Bearer"
    assert each_instance.call("GET", f"/users/me?access_token={jane.token}").status_code == 401


def promote(instance: Instance) -> None:
    """As the command does it."""
    asyncio.run(instance.service.roles.promote(JANE, OPERATOR))


def demote(instance: Instance) -> None:
    """As the command does it, for an admin who is the last."""
    asyncio.run(instance.service.roles.demote(JANE, OPERATOR, allow_no_admin=True))


def promote_by_sql(instance: Instance) -> None:
    """As somebody does it who has a database shell."""
    execute(instance.settings.database_url, f"UPDATE users SET role = 'admin' WHERE email = '{JANE}'")


def demote_by_sql(instance: Instance) -> None:
    """As somebody does it who has a database shell."""
    execute(instance.settings.database_url, f"UPDATE users SET role = 'user' WHERE email = '{JANE}'")


@pytest.mark.parametrize(
    ("up", "down"), [(promote, demote), (promote_by_sql, demote_by_sql)], ids=["by command", "by SQL"]
)
def test_promotion_needs_a_new_login_and_demotion_acts_on_the_next_request(
    each_instance: Instance, up: Callable[[Instance], None], down: Callable[[Instance], None]
) -> None:
    """R-AZ-01, R-AZ-02: the role in force is the one that token and table agree on."""
    jane, john = both_in(each_instance)
    up(each_instance)
    assert jane.see(john.id).status_code == 403
    jane.log_in()
    seen = jane.see(john.id)
    assert (seen.status_code, seen.json()["email"]) == (200, JOHN)
    assert jane.see("00000000-0000-4000-8000-000000000000").status_code == 404
    assert john.see(jane.id).status_code == 403
    down(each_instance)
    assert jane.see(john.id).status_code == 403
    assert jane.see().json()["role"] == "user"
    assert each_instance.is_intact()


def test_an_admin_token_is_worth_nothing_again_after_demotion_and_promotion_until_the_next_login(
    instance: Instance,
) -> None:
    """D-8: a token that says user stays one."""
    jane, john = both_in(instance)
    promote(instance)
    as_user = jane.token
    as_admin = jane.log_in()
    demote(instance)
    promote(instance)
    assert jane.see(john.id, as_user).status_code == 403
    assert jane.see(john.id, as_admin).status_code == 200


def disable(service: Service) -> Coroutine[Any, Any, Any]:
    """Locks Jane out."""
    return service.users.disable(JANE, OPERATOR)


def end_sessions(service: Service) -> Coroutine[Any, Any, Any]:
    """Ends Jane's sessions."""
    return service.users.logout(JANE, OPERATOR)


def delete(service: Service) -> Coroutine[Any, Any, Any]:
    """Removes Jane's account."""
    return service.users.delete(JANE, OPERATOR)


@pytest.mark.parametrize(
    ("act", "may_log_in_again"),
    [(disable, False), (end_sessions, True), (delete, False)],
    ids=["disable", "log out", "delete"],
)
def test_an_operators_act_is_felt_on_the_next_request(
    each_instance: Instance, act: Callable[[Service], Coroutine[Any, Any, Any]], may_log_in_again: bool
) -> None:
    """R-TK-07: for every session of the user, and for nobody else."""
    jane, john = both_in(each_instance)
    tokens = [jane.token, jane.log_in()]
    pending = jane.sign()
    asyncio.run(act(each_instance.service))
    for token in tokens:
        refused = jane.see(token=token)
        assert (refused.status_code, refused.json()["detail"]) == (401, "Could not validate credentials")
    assert john.see().status_code == 200
    assert jane.complete_login(pending).status_code == (200 if may_log_in_again else 401)
    assert [jane.see(token=token).status_code for token in tokens] == [401, 401]
    assert each_instance.is_intact()


def test_a_user_who_is_enabled_again_logs_in_and_old_tokens_stay_dead(instance: Instance) -> None:
    """R-TK-07, R-TK-12."""
    jane, _ = both_in(instance)
    asyncio.run(disable(instance.service))
    asyncio.run(instance.service.users.enable(JANE, OPERATOR))
    before = jane.token
    after = jane.log_in()
    assert jane.see(token=before).status_code == 401
    assert jane.see(token=after).status_code == 200


def test_a_deleted_user_can_register_anew_with_another_id(instance: Instance) -> None:
    """Deletion: account and credentials go, the trail stays."""
    jane, _ = both_in(instance)
    first_id, before = jane.id, len(instance.rows())
    asyncio.run(delete(instance.service))
    assert jane.register()["id"] != first_id
    assert jane.log_in()
    assert len(instance.rows()) > before
    assert instance.is_intact()


@pytest.mark.parametrize("member", ["role", "is_admin", "id", "created_at", "sign_count"])
def test_registration_refuses_a_body_that_brings_more_than_is_asked_for(instance: Instance, member: str) -> None:
    """R-AZ-03, R-AZ-04: nobody makes themselves an admin."""
    answer = Visitor(instance).post("/register/begin", person(**{member: "admin"}))
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [member]
    assert Visitor(instance).register()["role"] == "user"
