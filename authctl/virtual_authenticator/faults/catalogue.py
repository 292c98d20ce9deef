"""The whole catalogue: importing this enters every fault and every play, and pairs them with their data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.faults import (
    attested_credential,
    authenticator_data,
    base64_forms,
    client_data,
    client_data_text,
    cose_key,
    envelope,
    extension_outputs,
    key_encoding,
    origins,
    weak_keys,
)
from authctl.virtual_authenticator.faults.cases import LeftOut, read_cases
from authctl.virtual_authenticator.faults.cases import left_out as read_left_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.virtual_authenticator.faults.cases import Case

LAYERS = (
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
)


@cache
def cases() -> tuple[Case, ...]:
    """Every case, in the order of the data file; one of both ceremonies is there twice."""
    return read_cases()


def left_out() -> tuple[LeftOut, ...]:
    """What is known and not built, with the reason."""
    return read_left_out()


def matching(patterns: Iterable[str]) -> tuple[Case, ...]:
    """The cases whose id or name fits one of the patterns, which may hold `*` and `?`."""
    wanted = tuple(patterns)
    return tuple(
        case
        for case in cases()
        if any(fnmatchcase(case.id, pattern) or fnmatchcase(case.name, pattern) for pattern in wanted)
    )
