"""Counter policies."""

from __future__ import annotations

import pytest

from authctl.virtual_authenticator import (
    CounterPolicy,
    GetAssertionRequest,
    MakeCredentialRequest,
    UserEntity,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.authenticator.counters import POLICIES, Counts
from authctl.virtual_authenticator.errors import NotSupported


def counts(policy: CounterPolicy, signatures: int) -> list[int]:
    """The counter of a registration and of the assertions after it."""
    authenticator = VirtualAuthenticator(counter_override=policy)
    state = Counts(policy.first(5), 5)
    found = [state.own]
    for _ in range(signatures):
        state = policy.next(state)
        found.append(state.own)
    assert authenticator.counter_override is policy
    return found


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (CounterPolicy("zero"), [0, 0, 0]),
        (CounterPolicy("per-credential"), [0, 1, 2]),
        (CounterPolicy("global"), [5, 6, 7]),
        (CounterPolicy("fixed", 9), [9, 9, 9]),
        (CounterPolicy("rollback", 1), [1, 0, 0]),
    ],
)
def test_each_policy_moves_the_counter_its_own_way(policy: CounterPolicy, expected: list[int]) -> None:
    assert counts(policy, 2) == expected


def test_every_policy_is_tested_above() -> None:
    assert set(POLICIES) == {"zero", "per-credential", "global", "fixed", "rollback"}


def test_a_counter_wraps_when_its_32_bits_are_full() -> None:
    assert CounterPolicy("per-credential").next(Counts(2**32 - 1, 0)).own == 0


def test_a_policy_is_refused_when_it_is_not_known_or_too_large() -> None:
    with pytest.raises(NotSupported, match="'random'"):
        CounterPolicy("random")
    with pytest.raises(NotSupported, match="32 bits"):
        CounterPolicy("fixed", 2**32)


def make(authenticator: VirtualAuthenticator, handle: bytes) -> bytes:
    request = MakeCredentialRequest(bytes(32), "localhost", UserEntity(handle, "", ""), (-7,))
    return authenticator.make_credential(request).credential.credential_id


def sign(authenticator: VirtualAuthenticator, credential_id: bytes) -> int:
    request = GetAssertionRequest("localhost", bytes(32), (credential_id,))
    return authenticator.get_assertion(request).authenticator_data.sign_count


def test_one_counter_serves_all_credentials_of_a_security_key() -> None:
    authenticator = VirtualAuthenticator("security-key")
    first, second = make(authenticator, b"1"), make(authenticator, b"2")
    assert [sign(authenticator, each) for each in (first, second, first)] == [1, 2, 3]


def test_each_credential_counts_for_itself_on_a_platform() -> None:
    authenticator = VirtualAuthenticator("platform")
    first, second = make(authenticator, b"1"), make(authenticator, b"2")
    assert [sign(authenticator, each) for each in (first, second, first)] == [1, 1, 2]


def test_an_override_replaces_the_policy_of_the_credential() -> None:
    authenticator = VirtualAuthenticator()
    credential_id = make(authenticator, b"1")
    assert [sign(authenticator, credential_id) for _ in range(2)] == [1, 2]
    authenticator.counter_override = CounterPolicy("rollback")
    assert sign(authenticator, credential_id) == 1


@pytest.mark.parametrize(
    ("text", "policy"),
    [("zero", CounterPolicy("zero")), ("fixed:7", CounterPolicy("fixed", 7)), ("rollback:", CounterPolicy("rollback"))],
)
def test_a_policy_is_written_as_name_and_value(text: str, policy: CounterPolicy) -> None:
    assert CounterPolicy.parse(text) == policy


@pytest.mark.parametrize("text", ["", "random", "fixed:x", "fixed:-1", "fixed:²", "fixed:99999999999"])
def test_a_policy_is_refused_when_it_is_not_written_so(text: str) -> None:
    with pytest.raises(NotSupported):
        CounterPolicy.parse(text)
