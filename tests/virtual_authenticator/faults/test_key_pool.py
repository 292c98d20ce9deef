"""RSA keys are made once for a run, and never shared by two people of one case."""

from __future__ import annotations

from authctl.virtual_authenticator import ES256, RS256, SystemRandom
from authctl.virtual_authenticator.faults.key_pool import KeyPool, KeysOfCase
from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.stage import Lab, Stage
from tests.virtual_authenticator.faults.fake_party import FakeParty

PS512 = -39


def test_cases_have_the_same_rsa_keys_in_the_same_order() -> None:
    pool, random = KeyPool(), SystemRandom()
    first, second = KeysOfCase(pool), KeysOfCase(pool)
    keys = [first.generate(RS256, random), first.generate(RS256, random)]
    again = [second.generate(RS256, random), second.generate(PS512, random)]
    assert [key.public().public_numbers() for key in again] == [key.public().public_numbers() for key in keys]
    assert len({key.public().public_numbers().n for key in keys}) == 2
    assert [key.algorithm.identifier for key in again] == [RS256, PS512]


def test_other_keys_are_always_new() -> None:
    pool, random = KeyPool(), SystemRandom()
    made = [KeysOfCase(pool).generate(ES256, random).public_cose() for _ in range(2)]
    assert made[0] != made[1]


def test_people_of_one_case_have_keys_of_their_own_and_other_cases_the_same() -> None:
    lab, needs = Lab(FakeParty()), Needs(algorithm="RS256")

    def moduli() -> list[int]:
        with Stage(lab, needs) as stage:
            return [stage.person().make().private.public().public_numbers().n for _ in range(2)]

    first = moduli()
    assert first == moduli()
    assert first[0] != first[1]
