"""Faults of the extension outputs in the authenticator data: their flag, their map and what stands after it."""

from __future__ import annotations

from functools import partial
from typing import Any

from authctl.virtual_authenticator.faults.authenticator_data import both
from authctl.virtual_authenticator.faults.drafts import AssertionDraft, Draft, Flag, RegistrationDraft, encode
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.malformed_cbor import (
    MAP,
    TEXT,
    UNDEFINED,
    indefinite_map,
    long_form,
    long_text,
    map_of,
    nested_arrays,
    single_precision,
    tagged,
)

fault = partial(any_fault, Layer.AUTHENTICATOR_DATA)


def _announced(name: str, outputs: Any, variant: str = "") -> None:
    """Outputs with their flag, in both ceremonies."""

    def alter(draft: Draft) -> None:
        draft.announce(outputs)

    both(name, alter, variant)


_announced("ed-not-map", ["credProtect", 2])
_announced("ed-not-map", 1, "number")
_announced("ed-not-map", None, "null")
_announced("ed-not-map", "credProtect", "text")
_announced("ed-not-map", UNDEFINED, "undefined")
_announced("ed-empty-map", {})
_announced("ed-unsolicited", {"example.unheard-of": True})
_announced("ed-noncanonical", indefinite_map([("credProtect", 2)]))
_announced("ed-noncanonical", map_of([(long_text("credProtect", 2), 2)]), "long form")
_announced("ed-dup-keys", map_of([("credProtect", 2), ("credProtect", 3)]))
_announced("ed-number-keys", {1: 2})
_announced("ed-deep", {"x": nested_arrays(10_000)})
_announced("ed-huge-length", map_of([("x", long_form(TEXT, 1 << 50, 8))]))
_announced("ed-many-declared", long_form(MAP, 1 << 40, 8))
_announced("ed-tagged", tagged(55799, {"credProtect": 2}))


@fault("reg.ad.ed-valid")
def creation_with_outputs(draft: RegistrationDraft) -> None:
    """Well-formed outputs."""
    draft.announce({"credProtect": 2})


@fault("auth.ad.ed-valid")
def assertion_with_outputs(draft: AssertionDraft) -> None:
    """Well-formed outputs."""
    draft.announce({"uvm": [[2, 4, 2]]})


@fault("reg.ext.credprotect-downgrade")
def protection_weaker_than_asked(draft: RegistrationDraft) -> None:
    """The weakest protection, where a server may have asked for the strongest."""
    draft.announce({"credProtect": 1})


@fault("reg.ad.ed-set-without-data")
@fault("auth.ad.ed-set-without-data")
def outputs_announced_and_absent(draft: Draft) -> None:
    """The flag alone."""
    draft.flags |= Flag.ED


@fault("reg.ad.ed-clear-with-data")
@fault("auth.ad.ed-clear-with-data")
def outputs_not_announced(draft: Draft) -> None:
    """Outputs without their flag."""
    draft.extensions = encode({"credProtect": 2})


@fault("reg.ad.ed-trailing")
@fault("auth.ad.ed-trailing")
def bytes_after_the_outputs(draft: Draft) -> None:
    """A byte after the map."""
    draft.announce({"credProtect": 2})
    draft.trailing = b"\x00"


@fault("reg.ad.ed-truncated")
@fault("auth.ad.ed-truncated")
def outputs_without_their_end(draft: Draft) -> None:
    """A map that lacks its last byte."""
    draft.announce({"credProtect": 2})
    draft.extensions = draft.extensions[:-1]


@fault("reg.ad.ed-float-smuggle")
@fault("auth.ad.ed-float-smuggle")
def bytes_hidden_behind_a_short_float(draft: Draft) -> None:
    """Bytes that a reader loses who measures the map by writing it anew, which makes a float four bytes longer."""
    draft.announce(map_of([("a", single_precision(b"\x3f\x80\x00\x00"))]))
    draft.trailing = b"evil"
