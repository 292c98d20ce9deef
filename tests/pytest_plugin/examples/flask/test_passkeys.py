# mypy: ignore-errors
import pytest

KNOWN = {"cd.challenge-array": "the library webauthn lets it pass"}


@pytest.mark.webauthn_attacks(
    layer="client-data", tier="core", only="cd.challenge-*,cd.origin-*,cd.type-*", xfail=KNOWN
)
def test_the_library_refuses(webauthn_attack, webauthn_relying_party):
    webauthn_attack.against(webauthn_relying_party)
