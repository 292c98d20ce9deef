# mypy: ignore-errors
import pytest

LIBRARY = "the library webauthn lets it pass"
KNOWN = dict.fromkeys(
    [
        "cd.challenge-array",
        "reg.ad.ed-not-map*",
        "reg.ad.credid-1024",
        "reg.ao.attstmt-text",
        "reg.ao.trailing-bytes",
        "reg.none.unknown-member",
    ],
    LIBRARY,
)


@pytest.mark.webauthn_attacks(
    "cd.*", "*.ad.*", "*.ao.*", "reg.none.*", "*.state.*", tier="core", force="must", xfail=KNOWN
)
def test_the_shop_refuses(webauthn_attack, webauthn_relying_party):
    webauthn_attack.against(webauthn_relying_party)


@pytest.mark.webauthn_attacks("ok.*", tier="core")
def test_the_shop_accepts(webauthn_attack, webauthn_relying_party):
    webauthn_attack.against(webauthn_relying_party)
