"""The data of the catalogue: complete, in its vocabulary, and paired with what performs it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.faults import catalogue
from authctl.virtual_authenticator.faults.cases import EXPECTATIONS, FORCES, PROFILES, TIERS, rows
from authctl.virtual_authenticator.faults.interface import FAULTS, PLAYS, Layer, fault, play
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, Needs

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case

CASES = catalogue.cases()
KINDS = {case.key: case for case in CASES}
FEWEST = 450
BY_FORCE = {"must": 633, "hardening": 96, "policy": 79, "positive": 83}
BY_TIER = {"core": 166, "core-attestation": 67, "structure": 143, "extended": 515}
BY_LAYER = {
    "envelope": 119,
    "client-data": 144,
    "authenticator-data": 120,
    "attested-credential": 19,
    "cose-key": 113,
    "attestation-statement": 161,
    "certificate": 100,
    "signature": 68,
    "state": 47,
}
EXPECTED_OF = {"must": {"refuse", "one"}, "hardening": {"refuse"}, "positive": {"accept"}}
PUBLIC_ID = re.compile(r"CVE-\d{4}-\d{4,}|GHSA(-[2-9cfghjmpqrvwx]{4}){3}")


def test_every_line_has_one_function_and_every_function_its_line() -> None:
    assert {*FAULTS} | {*PLAYS} == {*KINDS}
    assert not {*FAULTS} & {*PLAYS}


def test_every_case_is_there_once() -> None:
    assert set(Counter(case.name for case in CASES).values()) == {1}
    assert len(rows("cases.csv")) == len(KINDS) >= FEWEST


def test_hundreds_of_cases_have_to_be_refused_as_the_readme_says() -> None:
    assert sum(case.expected["l3"] in ("refuse", "one") for case in CASES) > 500


def test_a_change_of_the_numbers_is_meant() -> None:
    assert Counter(case.force for case in KINDS.values()) == BY_FORCE
    assert Counter(case.tier for case in KINDS.values()) == BY_TIER
    assert Counter(case.layer.value for case in KINDS.values()) == BY_LAYER
    assert {*BY_LAYER} == {*Layer}


@pytest.mark.parametrize("case", KINDS.values(), ids=lambda case: case.name)
def test_a_line_speaks_the_vocabulary(case: Case) -> None:
    entry = FAULTS.get(case.key) or PLAYS[case.key]
    assert case.layer is entry.layer
    assert case.force in FORCES
    assert case.tier in TIERS
    assert {*case.expected} == {*PROFILES}
    assert {*case.expected.values()} <= {*EXPECTATIONS}
    assert case.expected["l3"] in EXPECTED_OF.get(case.force, {*EXPECTATIONS})
    assert case.alters
    assert not case.alters.endswith(".")
    assert case.why.endswith(".")
    assert re.search(r"§|robustness", case.spec), case.spec
    assert all(PUBLIC_ID.fullmatch(known) for known in case.known)
    assert case.needs.can <= {*CAPABILITIES}
    assert " " not in case.name


def test_every_capability_is_needed_by_a_case() -> None:
    assert {name for case in CASES for name in case.needs.can} == {*CAPABILITIES}


def test_a_case_of_both_ceremonies_is_there_twice() -> None:
    names = [case.name for case in CASES if case.id == "cd.bom"]
    assert names == ["cd.bom:registration", "cd.bom:authentication"]


def test_what_is_not_built_says_why() -> None:
    left_out = catalogue.left_out()
    assert {entry.id for entry in left_out} == {
        "reg.safetynet.ver-empty",
        "reg.safetynet.nonce-wrong",
        "reg.safetynet.integrity-verdict-false",
    }
    assert all(entry.reason and entry.alters and entry.ceremony for entry in left_out)
    assert not {entry.id for entry in left_out} & {case.id for case in CASES}


def test_a_case_is_not_entered_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        fault(Layer.ENVELOPE, "reg.env.id-missing")(print)
    with pytest.raises(ValueError, match="twice"):
        play("reg.env.id-missing")(print)


def test_needs_are_read_from_their_text() -> None:
    needs = Needs.parse("algorithm=RS256 uv=preferred,discouraged can=expiry,two-users user=any logins=3 USER_X=1")
    assert needs.algorithm == "RS256"
    assert needs.uv == {"preferred", "discouraged"}
    assert needs.can == {"expiry", "two-users", "usernameless"}
    assert (needs.is_named, needs.logins, needs.settings) == (False, 3, (("USER_X", "1"),))
    assert Needs.parse("") == Needs()


def test_a_need_that_nobody_knows_is_refused() -> None:
    with pytest.raises(NotSupported, match="cannot need 'colour'"):
        Needs.parse("colour=red")
