"""Two independent libraries judge every case of one message: what they make of it is recorded, and has to stay so.

A verdict that changes means that a case has become wrong, or that a library has changed; both want to be looked at, and
then `python -m tests.virtual_authenticator.faults.library_table` records anew.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import get_type_hints

import pytest

from authctl.virtual_authenticator.attestation.authority import Authority
from tests.virtual_authenticator.faults.library_parties import PARTIES, LibraryParty
from tests.virtual_authenticator.faults.library_table import OF_ONE_MESSAGE, recorded, told

pytestmark = pytest.mark.thorough

TABLE = recorded()
COUNTS = {
    "webauthn": {
        "must": {"accepted": 122, "crashed": 36, "refused": 547},
        "hardening": {"accepted": 86, "crashed": 1, "refused": 20},
        "policy": {"accepted": 57, "crashed": 3, "refused": 32},
        "positive": {"accepted": 85, "refused": 4, "unfit": 10},
    },
    "fido2": {
        "must": {"accepted": 176, "crashed": 78, "refused": 424, "unfit": 27},
        "hardening": {"accepted": 80, "crashed": 1, "refused": 24, "unfit": 2},
        "policy": {"accepted": 62, "crashed": 2, "refused": 26, "unfit": 2},
        "positive": {"accepted": 86, "refused": 3, "unfit": 10},
    },
}
"""How many cases of each force a library accepts, refuses, falls over, or is unfit for, refusing them faultless too."""

FALSELY_REFUSED = {
    "webauthn": {
        "reg.env.attachment-unknown",
        "auth.env.attachment-unknown",
        "reg.tpm.eku-second",
        "reg.android.no-root-in-x5c",
    },
    "fido2": {"cd.bom:registration", "cd.bom:authentication", "reg.ad.up-clear-conditional"},
}
"""What has to be accepted and is not, each a known limit of the library."""

BY_CHANCE = {("fido2", "reg.ad.aaguid-missing"): {"refused", "crashed"}}
"""Random bytes stand where the library reads a length, and decide which of these comes of it."""


@pytest.fixture(autouse=True)
def remembered_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """fido2 works out the annotations of a class for each of its instances: more than half of the time of all cases."""
    monkeypatch.setattr("fido2.utils.get_type_hints", cache(get_type_hints))


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: str(party.name))
def test_a_library_makes_of_every_case_what_it_made_when_that_was_recorded(party: type[LibraryParty]) -> None:
    authority = Authority()
    found = {case.name: told(case, party, authority) for case in OF_ONE_MESSAGE}
    for (library, name), may_be in BY_CHANCE.items():
        if library == party.name and found[name] in may_be:
            found[name] = TABLE[name][library]
    assert found == {name: row[party.name] for name, row in TABLE.items()}


@pytest.mark.parametrize("library", COUNTS)
def test_the_table_counts_what_each_library_lets_through(library: str) -> None:
    counts: dict[str, Counter[str]] = {force: Counter() for force in COUNTS[library]}
    for case in OF_ONE_MESSAGE:
        counts[case.force][TABLE[case.name][library]] += 1
    assert counts == COUNTS[library]


@pytest.mark.parametrize("library", FALSELY_REFUSED)
def test_every_case_that_has_to_be_accepted_is_unless_the_library_is_known_not_to(library: str) -> None:
    """So that what the cases are made from is right: a fault on a message that was never right shows nothing."""
    refused = {
        case.name
        for case in OF_ONE_MESSAGE
        if case.expected["l3"] == "accept" and TABLE[case.name][library] == "refused"
    }
    assert refused == FALSELY_REFUSED[library]


def test_a_control_fits_at_least_one_library_in_every_case() -> None:
    assert [name for name, row in TABLE.items() if set(row.values()) == {"unfit"}] == []
