"""Takes a valid assertion, changes one thing without signing again, and expects one and the same answer to all."""

from __future__ import annotations

import json
import secrets
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.base64url import encode as text
from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.stage import Person
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

    from tests.attacks.own_service import OwnService

    Change = Callable[[dict[str, Any]], None]

BINARY = ("clientDataJSON", "authenticatorData", "signature", "userHandle")
FEWEST_CHANGES = 60


def outer(name: str, value: object) -> Change:
    """Sets a member of the credential."""

    def change(assertion: dict[str, Any]) -> None:
        assertion[name] = value

    return change


def both_ids(make: Callable[[str], object]) -> Change:
    """Sets id and rawId to the same value."""

    def change(assertion: dict[str, Any]) -> None:
        assertion["id"] = assertion["rawId"] = make(assertion["id"])

    return change


def response(name: str, make: Callable[[str], object]) -> Change:
    """Replaces a member of the response by something made of it."""

    def change(assertion: dict[str, Any]) -> None:
        assertion["response"][name] = make(assertion["response"][name])

    return change


def octets(name: str, make: Callable[[bytes], bytes]) -> Change:
    """Replaces the bytes of a member of the response."""
    return response(name, lambda value: text(make(decode(value))))


def client(name: str, value: object) -> Change:
    """Sets a member of the client data."""
    return octets("clientDataJSON", lambda data: json.dumps({**json.loads(data), name: value}).encode())


def flipped(position: int, bit: int) -> Callable[[bytes], bytes]:
    """Flips one bit."""
    return lambda data: data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


def without(name: str) -> Change:
    """Removes a member of the response."""

    def change(assertion: dict[str, Any]) -> None:
        del assertion["response"][name]

    return change


def outer_changes() -> Iterator[tuple[str, Change]]:
    """Changes of the credential's own members."""
    other = text(secrets.token_bytes(32))
    for name in ("id", "rawId"):
        for label, value in (("null", None), ("number", 7), ("empty", ""), ("of nobody", other), ("array", [other])):
            yield f"{name} {label}", outer(name, value)
    yield "id padded", lambda assertion: assertion.update(id=assertion["id"] + "=")
    yield "id in the other case", lambda assertion: assertion.update(id=assertion["id"].swapcase())
    yield "both ids of nobody", both_ids(lambda _: other)
    yield "both ids empty", both_ids(lambda _: "")
    yield "both ids padded", both_ids(lambda value: value + "=")
    yield "both ids shorter", both_ids(lambda value: text(decode(value)[:-1]))
    for label, kind in (("null", None), ("number", 1), ("empty", ""), ("wrong", "Public-Key")):
        yield f"type {label}", outer("type", kind)
    for label, whole in (("null", None), ("array", []), ("text", "{}"), ("empty", {})):
        yield f"response {label}", outer("response", whole)


def response_changes() -> Iterator[tuple[str, Change]]:
    """Changes that every binary member is put through."""
    for name in BINARY:
        yield f"{name} empty", response(name, lambda _: "")
        yield f"{name} number", response(name, lambda _: 1)
        yield f"{name} array", response(name, lambda value: [value])
        yield f"{name} padded", response(name, lambda value: value + "=")
        yield f"{name} with a line break", response(name, lambda value: value + "\n")
        yield f"{name} shorter", octets(name, lambda data: data[:-1])
        yield f"{name} longer", octets(name, lambda data: data + b"\0")
        yield f"{name} first bit", octets(name, flipped(0, 7))
        yield f"{name} last bit", octets(name, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
        yield f"{name} reversed", octets(name, lambda data: data[::-1])
    for name in BINARY[:3]:
        yield f"{name} null", response(name, lambda _: None)
        yield f"{name} missing", without(name)


def signed_changes() -> Iterator[tuple[str, Change]]:
    """Changes of what the signature covers, byte by byte and member by member."""
    for bit in range(8):
        yield f"flag {bit}", octets("authenticatorData", flipped(32, bit))
    for position in (1, 31, 33, 34, 35, 36):
        yield f"authenticator data byte {position}", octets("authenticatorData", flipped(position, 0))
    for position in (1, 3, 20, 40, 60):
        yield f"signature byte {position}", octets("signature", flipped(position, 0))
    yield "client type", client("type", "webauthn.create")
    yield "client challenge", client("challenge", text(secrets.token_bytes(32)))
    yield "client origin", client("origin", "https://attacker.test")
    yield "client crossOrigin", client("crossOrigin", True)
    yield "client topOrigin", client("topOrigin", "https://attacker.test")
    yield "client with one more member", client("extra", 1)
    yield "client with a blank", octets("clientDataJSON", lambda data: data[:1] + b" " + data[1:])


CHANGES = dict([*outer_changes(), *response_changes(), *signed_changes()])


def visible(answer: httpx2.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """All that a caller sees of an answer, but for what names the one request."""
    fields = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return answer.status_code, fields, {**answer.json(), "instance": ""}


@pytest.fixture(scope="module")
def person(service_for: Callable[[Needs], OwnService]) -> Person:
    """Somebody with an account, whose valid assertions are accepted."""
    person = Person(service_for(Needs()).lab(), Needs())
    person.register()
    _, reaction = person.log_in()
    assert reaction.verdict is Verdict.ACCEPTED
    return person


@pytest.fixture(scope="module")
def usual(person: Person) -> httpx2.Response:
    """The failure that everybody knows: a signature of an unrelated key, as any outsider can send it."""
    _attempt(person, octets("signature", lambda data: data[:-1] + bytes([data[-1] ^ 2])))
    return _last_answer(person)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_login_fails_as_every_other_when_one_field_of_a_valid_assertion_is_changed(
    person: Person, usual: httpx2.Response, change: Change
) -> None:
    """V-06, R-EN-03."""
    assert _attempt(person, change) is Verdict.REFUSED
    answer = _last_answer(person)
    assert visible(answer) == visible(usual)
    assert answer.headers["x-request-id"] != usual.headers["x-request-id"]


def test_there_are_enough_changes() -> None:
    """V-06."""
    assert len(CHANGES) >= FEWEST_CHANGES


def test_a_login_succeeds_after_all_these_failures_when_nothing_is_changed(person: Person) -> None:
    assert _attempt(person, lambda _: None) is Verdict.ACCEPTED


def _attempt(person: Person, change: Change) -> Verdict:
    changed = deepcopy(person.sign().document())
    change(changed)
    return person.visit.finish_login(changed).verdict


def _last_answer(person: Person) -> httpx2.Response:
    answers: list[httpx2.Response] = person.visit.answers  # type: ignore[attr-defined]  # of the service's own visit
    return answers[-1]
