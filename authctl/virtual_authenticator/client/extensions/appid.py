"""appid and appidExclude (WebAuthn Level 3 §10.1.1, §10.1.2): credentials that were made by U2F, under an AppID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.client.extensions.plan import CreatePlan, GetPlan
from authctl.virtual_authenticator.client.extensions.values import text_of
from authctl.virtual_authenticator.client.rp_id import parse_origin, require_rp_id_for
from authctl.virtual_authenticator.errors import NotSupported, OriginNotAllowed

if TYPE_CHECKING:
    from authctl.virtual_authenticator.client.extensions.plan import Context
    from authctl.virtual_authenticator.client.rp_id import Origin


def create(value: Any, context: Context) -> CreatePlan:
    """Credentials of the AppID count in the exclude list too."""
    app_id = _allowed(text_of(value, "appidExclude"), context.origin)
    return CreatePlan(also_excluded=app_id, result=lambda _: True)


def get(value: Any, context: Context) -> GetPlan:
    """The AppID is tried where the RP id has no credential."""
    app_id = text_of(value, "appid")
    # Client processing, step 1.
    if not context.named:
        raise NotSupported("appid needs allowCredentials")
    app_id = _allowed(app_id, context.origin)
    return GetPlan(rp_id_instead=app_id, result=lambda assertion: assertion.credential.rp_id == app_id)


def _allowed(app_id: str, origin: Origin) -> str:
    """FIDO AppID and Facets §3.1.2, as far as browsers follow it: https, on the caller's site."""
    if not app_id:
        return str(origin)
    scheme, _, rest = app_id.partition("://")
    facet = parse_origin(f"{scheme}://{rest.partition('/')[0]}")
    if facet == origin:
        return app_id
    if facet.scheme != "https":
        raise OriginNotAllowed(f"AppID {app_id!r} is not https")
    site = facet.host if origin.host.endswith("." + facet.host) else _site(facet.host)
    require_rp_id_for(site, origin)
    return app_id


def _site(host: str) -> str:
    # Without a list of public suffixes: the last two labels.
    return ".".join(host.split(".")[-2:])
