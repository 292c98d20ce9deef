# mypy: ignore-errors
import pytest


@pytest.mark.webauthn_attacks(layer="state", force="must")
def test_the_clinic_refuses(webauthn_attack, the_clinic):
    webauthn_attack.against(the_clinic)
