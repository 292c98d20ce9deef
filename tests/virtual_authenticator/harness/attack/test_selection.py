"""Which cases are chosen by name, layer, force and tier."""

from __future__ import annotations

from typing import Any

import pytest

from authctl.errors import NotFound
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.harness.attack.selection import Selection, named
from tests.virtual_authenticator.harness.attack.scripted import case

CASES = (
    case("reg.key.rsa-e3", layer=Layer.COSE_KEY, force="policy", tier="extended"),
    case("reg.key.rsa-e1", layer=Layer.COSE_KEY),
    case("cd.origin", variant="a suffix", layer=Layer.CLIENT_DATA),
    case("cd.origin", variant="a prefix", layer=Layer.CLIENT_DATA, force="hardening"),
    case("cd.type", ceremony="authentication", layer=Layer.CLIENT_DATA, is_in_both=True),
)


def chosen(**members: Any) -> list[str]:
    return [one.name for one in Selection(**members).of(CASES)]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, [one.name for one in CASES]),
        ({"patterns": ("reg.key.*",)}, ["reg.key.rsa-e3", "reg.key.rsa-e1"]),
        ({"patterns": ("REG.KEY.RSA-E?",), "most": 1}, ["reg.key.rsa-e3"]),
        ({"patterns": ("cd.origin",)}, ["cd.origin/a_suffix", "cd.origin/a_prefix"]),
        ({"patterns": ("cd.origin/a_prefix", "cd.type:*")}, ["cd.origin/a_prefix", "cd.type:authentication"]),
        ({"layers": frozenset({"cose-key"}), "forces": frozenset({"must"})}, ["reg.key.rsa-e1"]),
        ({"tiers": frozenset({"extended"})}, ["reg.key.rsa-e3"]),
        ({"ceremony": "authentication"}, ["cd.type:authentication"]),
        ({"patterns": ("cd.*",), "tiers": frozenset({"extended"})}, []),
    ],
)
def test_what_is_wanted_is_chosen(members: dict[str, Any], expected: list[str]) -> None:
    assert chosen(**members) == expected


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("reg.key.rsa-e33", "Did you mean reg.key.rsa-e3 or reg.key.rsa-e1? "),
        ("origin", "Did you mean cd.origin/a_suffix or cd.origin/a_prefix? "),
        ("*suffix", "Did you mean"),
        ("zzzzzzzzz", "`authctl"),
    ],
)
def test_the_nearest_names_are_told_when_nothing_is_called_that(name: str, near: str) -> None:
    with pytest.raises(NotFound) as caught:
        named(name, CASES)
    assert str(caught.value.hint).startswith(near)


def test_a_pattern_that_fits_nothing_is_refused_beside_one_that_does() -> None:
    with pytest.raises(NotFound, match=r"No attack is called nope\.\*"):
        chosen(patterns=("cd.*", "nope.*"))


def test_an_id_names_all_its_variants_and_a_name_one_of_them() -> None:
    assert len(named("cd.origin", CASES)) == 2
    assert [one.variant for one in named("CD.Origin/a_prefix", CASES)] == ["a prefix"]
