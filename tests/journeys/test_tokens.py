"""Tokens from the outside: how long they last, what they say, and that each login has its own."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.builders import JANE, ORIGIN, Visitor

if TYPE_CHECKING:
    from authctl.clock import FixedClock
    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

LIFETIME = 60 * 60


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, for whoever can read base64."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_a_token_lasts_an_hour(jane: Visitor, clock: FixedClock) -> None:
    """R-TK-04, R-TK-11: also when its session is looked up again."""
    answer = jane.complete_login(jane.sign())
    token = answer.json()["access_token"]
    assert answer.json()["expires_in"] == LIFETIME
    clock.advance(LIFETIME - 1)
    assert jane.see(token=token).status_code == 200
    clock.advance(7)
    assert jane.see(token=token).status_code == 401


def test_a_token_says_who_logged_in_how_and_where(jane: Visitor, clock: FixedClock) -> None:
    """R-TK-02, R-TK-03, R-TK-11."""
    claims = claims_of(jane.log_in())
    now = int(clock.now().timestamp())
    assert {name: claims[name] for name in claims if name not in ("jti", "sid")} == {
        "iss": ORIGIN,
        "aud": "localhost",
        "sub": jane.id,
        "email": JANE,
        "first_name": "Jane",
        "last_name": "Doe",
        "role": "user",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "auth_time": now,
        "amr": ["hwk", "user"],
    }


def test_each_login_has_a_session_and_a_token_of_its_own(jane: Visitor) -> None:
    """R-TK-12."""
    claims = [claims_of(jane.log_in(is_named=is_named)) for is_named in (True, True, False)]
    assert len({one["jti"] for one in claims}) == len({one["sid"] for one in claims}) == 3


def test_tokens_survive_a_restart_and_not_a_change_of_the_secret(
    jane: Visitor, instance: Instance, open_instance: OpenInstance
) -> None:
    """D-6, R-TK-13: changing the token key ends every session, and nothing else."""
    token = jane.log_in()
    instance.restart()
    assert jane.see(token=token).status_code == 200
    instance.close()
    jane.service = open_instance(instance.settings.database_url, jwt_secret="Another-secret-q7Xw9Zr2Lk5Tn8Vb4Gh6Jm")
    assert jane.see(token=token).status_code == 401
    assert jane.log_in()
    assert jane.see().status_code == 200


def test_a_token_for_another_origin_or_relying_party_is_refused(
    jane: Visitor, instance: Instance, open_instance: OpenInstance
) -> None:
    """R-TK-03: the same secret and the same session do not make it ours."""
    token = jane.log_in()
    instance.close()
    moved = open_instance(instance.settings.database_url, origins="http://localhost:9000")
    assert moved.call("GET", "/users/me", headers={"authorization": f"Bearer {token}"}).status_code == 401
