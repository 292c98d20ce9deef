"""The whole catalogue: importing this enters every fault and every play, and pairs them with their data."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.faults import (
    attestation_formats,
    attestation_statement,
    attested_credential,
    authenticator_data,
    base64_forms,
    certificate,
    certificate_contents,
    client_data,
    client_data_text,
    cose_key,
    envelope,
    extension_outputs,
    key_encoding,
    origins,
    signature,
    state,
    state_login,
    weak_keys,
)
from authctl.virtual_authenticator.faults.cases import LeftOut, read_cases
from authctl.virtual_authenticator.faults.cases import left_out as read_left_out

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case

MODULES = (
    envelope,
    base64_forms,
    client_data,
    client_data_text,
    origins,
    authenticator_data,
    extension_outputs,
    attested_credential,
    cose_key,
    weak_keys,
    key_encoding,
    attestation_statement,
    attestation_formats,
    certificate,
    certificate_contents,
    signature,
    state,
    state_login,
)
"""Those that enter faults and plays, from the outside of a message in."""


@cache
def cases() -> tuple[Case, ...]:
    """Every case, in the order of the data file; one of both ceremonies is there twice."""
    return read_cases()


def left_out() -> tuple[LeftOut, ...]:
    """What is known and not built, with the reason."""
    return read_left_out()
