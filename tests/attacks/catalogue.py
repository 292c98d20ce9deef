"""The whole registry: importing this enters every mutation and every script."""

from __future__ import annotations

from tests.attacks import (
    mutations_attestation,
    mutations_authenticator_data,
    mutations_client_data,
    mutations_envelope,
    mutations_keys,
    mutations_signature,
    scripts_login,
    scripts_registration,
)
from tests.attacks.registry import MUTATIONS, SCRIPTS

SOURCES = (
    mutations_attestation,
    mutations_authenticator_data,
    mutations_client_data,
    mutations_envelope,
    mutations_keys,
    mutations_signature,
    scripts_login,
    scripts_registration,
)

__all__ = ["MUTATIONS", "SCRIPTS", "SOURCES"]
