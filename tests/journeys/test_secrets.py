"""R-LG-05: after journeys and mishaps, no secret is found in any table, in the audit file or in what was logged."""

from __future__ import annotations

import base64
import logging
from contextlib import closing, contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

from tests.builders import JANE, JOHN, Visitor, person, shared_keys
from tests.journeys.outages import refused_events
from tests.journeys.sql import connect, execute

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.builders import Instance
    from tests.journeys.conftest import OpenInstance

SHORTEST_PIECE = 24
"""Characters of a secret that are too many to be found by chance."""


@contextmanager
def everything_logged() -> Iterator[StringIO]:
    """Whatever any library says, before it is cleaned; but for the client, which may know its own secrets."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(lambda record: not record.name.startswith("http"))
    handler.setFormatter(logging.Formatter("%(message)s %(args)s"))
    loggers = (logging.getLogger(), logging.getLogger("authctl"))
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield text
    for logger, level in zip(loggers, before, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def forms_of(secret: bytes | str) -> set[str]:
    """What a secret may look like in a text: itself, hex, and the three alignments of base64, without their ends."""
    raw = secret.encode() if isinstance(secret, str) else secret
    forms = {raw.hex(), raw.hex().upper(), repr(raw)[2:-1]}
    for skipped in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(raw[skipped:]).decode().rstrip("=")[:-2])
    return {form for form in forms if len(form) >= SHORTEST_PIECE}


def decoded(text: str) -> bytes:
    """The bytes behind base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def go_through_everything(instance: Instance) -> set[str]:
    """Successes and mishaps of every kind; the secrets that were about."""
    secrets: set[str] = set()
    for visitor in (Visitor(instance), Visitor(instance, JOHN)):
        options = visitor.begin_registration()
        visitor.complete_registration(visitor.browser.create(options))
        login = visitor.begin_login()
        assertion = visitor.browser.get(login)
        token = visitor.complete_login(assertion).json()["access_token"]
        for answered in (options, login):
            secrets |= forms_of(decoded(answered["challenge"]))
        secrets |= {token, token.rsplit(".", 1)[1]}
        suffer_mishaps(instance, visitor, token, assertion)
    return secrets


def suffer_mishaps(instance: Instance, visitor: Visitor, token: str, assertion: dict[str, Any]) -> None:
    """Everything that might make somebody write down what they were given."""
    call = instance.call
    visitor.see("me", token)
    visitor.see(token, token)
    visitor.see("me", f"{token}x")
    visitor.complete_login(assertion)
    call("GET", f"/users/me?access_token={token}", headers={"user-agent": f"Bearer {token}"})
    call("GET", "/users/me", headers={"authorization": f"Basic {token}", "x-request-id": token})
    call("GET", f"/{token}", headers={"x-forwarded-for": token})
    visitor.post("/login/complete", {"email": JANE, "assertion": {**assertion, "id": token}, "token": token})
    visitor.post("/register/begin", person(JANE, first_name=token, job_title=f"password={token}"))
    call("POST", "/login/begin", content=f'{{"email": "{token}'.encode(), headers={"content-type": "application/json"})
    with refused_events(instance.settings.database_url):
        assert visitor.see("me", token).status_code == 503
        assert visitor.complete_login(assertion).status_code == 503


def dump(url: str) -> str:
    """Every value of every table, as text."""
    find = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if url.startswith("sqlite")
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    parts: list[str] = []
    for (table,) in execute(url, find):
        with closing(connect(url)) as connection:
            for row in connection.execute(f'SELECT * FROM "{table}"').fetchall():
                parts += [value.hex() if isinstance(value, bytes) else str(value) for value in row]
    return "\n".join(parts)


def test_no_secret_is_written_down_anywhere(
    any_url: str, open_instance: OpenInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    """R-LG-05: tokens, challenges, and every key of the service."""
    with everything_logged() as logged:
        instance = open_instance(any_url)
        secrets = go_through_everything(instance)
        instance.restart()
    for key in shared_keys().values():
        secrets |= forms_of(key) | set(key.splitlines()[1:2])
    captured = capfd.readouterr()
    texts = {
        "tables": dump(any_url),
        "audit file": instance.settings.log_file.read_text(encoding="utf-8"),
        "log": logged.getvalue(),
        "stdout": captured.out,
        "stderr": captured.err,
    }
    assert len(secrets) > 20
    assert "login_complete" in texts["audit file"]
    assert "request refused" in texts["log"]
    found = {(place, secret) for place, text in texts.items() for secret in secrets if secret in text}
    assert found == set()


def test_the_search_finds_what_it_looks_for(any_url: str, open_instance: OpenInstance) -> None:
    """A secret that is planted is found: in text, in hex and inside a longer base64 text."""
    instance = open_instance(any_url)
    challenge = Visitor(instance).begin_registration()["challenge"]
    forms = forms_of(decoded(challenge))
    for planted in (challenge, decoded(challenge).hex(), base64.b64encode(b"xy" + decoded(challenge) + b"z").decode()):
        execute(any_url, f"UPDATE challenges SET source = '{planted}'")
        assert any(form in dump(any_url) for form in forms)
