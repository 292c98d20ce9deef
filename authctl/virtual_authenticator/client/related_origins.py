"""Related origins (WebAuthn Level 3 §5.11): other sites that may use an RP id, as the RP id's own site says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from authctl.virtual_authenticator.client.rp_id import parse_origin
from authctl.virtual_authenticator.errors import OriginNotAllowed

if TYPE_CHECKING:
    from authctl.virtual_authenticator.client.rp_id import Origin

RelatedOrigins: TypeAlias = Mapping[str, Any] | str | bytes | Callable[[str], Mapping[str, Any] | str | bytes]
"""The document of /.well-known/webauthn, or what fetches it: called with the URL, raises what it likes."""

MOST_LABELS: Final = 5
"""How many names of sites, such as `example` of login.example.com, a client looks at; the standard asks for five."""


def require_related(rp_id: str, origin: Origin, source: RelatedOrigins) -> None:
    """Returns when the document of the RP id lists the origin (§5.11.1); else raises OriginNotAllowed."""
    # Steps 1 to 3: the document, and a list of texts in it.
    document = _document(rp_id, source)
    origins = document.get("origins") if isinstance(document, Mapping) else None
    if not isinstance(origins, list) or not origins or not all(isinstance(item, str) for item in origins):
        raise OriginNotAllowed(f"/.well-known/webauthn of {rp_id} has no list of origins")
    # Steps 4 to 6: the origins in turn, of no more than so many different sites.
    labels: set[str] = set()
    for item in origins:
        listed = _origin(item)
        if listed is None:
            continue
        label = label_of(listed.host)
        if label not in labels and len(labels) >= MOST_LABELS:
            continue
        if listed == origin:
            return
        labels.add(label)
    # Step 7.
    raise OriginNotAllowed(
        f"Origin {origin} may not use RP id {rp_id!r}: its list of related origins does not have it",
        hint=f"Clients look at the first {MOST_LABELS} names of sites in https://{rp_id}/.well-known/webauthn",
    )


def label_of(host: str) -> str:
    """The label before the public suffix; without a list of those, before the last label."""
    labels = host.split(".")
    return labels[-2] if len(labels) > 1 else host


def _document(rp_id: str, source: RelatedOrigins) -> Any:
    url = f"https://{rp_id}/.well-known/webauthn"
    try:
        document = source(url) if callable(source) else source
        return json.loads(document) if isinstance(document, str | bytes) else document
    except Exception as error:
        # Whatever keeps the document away, a browser says no more than that.
        raise OriginNotAllowed(f"{url} cannot be read", debug=type(error).__name__) from error


def _origin(text: str) -> Origin | None:
    try:
        # What stands behind the host is not part of an origin.
        scheme, separator, rest = text.partition("://")
        return parse_origin(scheme + separator + rest.partition("/")[0])
    except OriginNotAllowed:
        return None
