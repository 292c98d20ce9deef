"""The extensions that there are, and how an operation runs those it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.authenticator import cbor
from authctl.virtual_authenticator.authenticator.extensions.cred_protect import CredProtect
from authctl.virtual_authenticator.authenticator.extensions.hmac_secret import HmacSecret, HmacSecretAtCreation
from authctl.virtual_authenticator.authenticator.extensions.large_blob_key import LargeBlobKey
from authctl.virtual_authenticator.authenticator.extensions.min_pin_length import MinPinLength
from authctl.virtual_authenticator.credential_store.extension_state import NO_EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authctl.virtual_authenticator.authenticator.extensions.interface import Extension, Operation
    from authctl.virtual_authenticator.credential_store.extension_state import ExtensionState

_ALL: Final[tuple[Extension, ...]] = (
    CredProtect(),
    HmacSecret(),
    HmacSecretAtCreation(),
    LargeBlobKey(),
    MinPinLength(),
)
"""In the order in which they run: the second of hmac-secret uses what the first has made."""
EXTENSIONS: Final[dict[str, Extension]] = {extension.identifier: extension for extension in _ALL}


def making(inputs: Mapping[str, Any], operation: Operation) -> tuple[ExtensionState, bytes]:
    """What the new credential keeps, and the encoded outputs, empty when there are none."""
    state, signed = NO_EXTENSIONS, {}
    for extension, value in _asked_for(inputs, operation):
        output = extension.make(value, replace(operation, state=state))
        state = replace(state, **output.state)
        signed[extension.identifier] = output.signed
    return state, _encoded(signed)


def getting(inputs: Mapping[str, Any], state: ExtensionState, operation: Operation) -> bytes:
    """The encoded outputs of an assertion, empty when there are none."""
    return _encoded(
        {extension.identifier: extension.get(value, state, operation).signed
         for extension, value in _asked_for(inputs, operation)}
    )  # fmt: skip


def _asked_for(inputs: Mapping[str, Any], operation: Operation) -> Iterator[tuple[Extension, Any]]:
    # What this model does not have, or nobody knows, is ignored.
    for name, extension in EXTENSIONS.items():
        if name in inputs and name in operation.authenticator.profile.extensions:
            yield extension, inputs[name]


def _encoded(signed: Mapping[str, cbor.Encodable]) -> bytes:
    outputs = {name: value for name, value in signed.items() if value is not None}
    return cbor.encode(outputs) if outputs else b""
