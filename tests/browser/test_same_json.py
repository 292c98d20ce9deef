"""The client emulation writes what a real Chromium writes for the same options, member for member."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.base64url import decode
from tests.browser.conftest import example
from tests.virtual_authenticator.relying_party import creation_options, request_options

if TYPE_CHECKING:
    from tests.browser.conftest import Site

pytestmark = pytest.mark.browser
CREATE = """async options => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({publicKey})).toJSON();
}"""
GET = """async options => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({publicKey})).toJSON();
}"""
INPUT = {"eval": {"first": "AAAA", "second": "BBBB"}}


def shape(value: Any) -> Any:
    """The members, without what differs from credential to credential."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in sorted(value)}
    return type(value).__name__


def without_optional(client_data: bytes) -> dict[str, Any]:
    """The client data; Chromium adds a member now and then to teach servers that there may be others."""
    members: dict[str, Any] = json.loads(client_data)
    return {name: members[name] for name in ("type", "challenge", "origin", "crossOrigin")}


def test_both_write_the_same_members_and_the_same_client_data(site: Site, context: Any) -> None:
    page = context.new_page()
    example("chromium_passkeys").add_authenticator(page, large_blob=True, prf=True)
    page.goto(site.origin)
    client = Client(VirtualAuthenticator(), site.origin)
    create = creation_options(extensions={"credProps": True, "prf": {}, "largeBlob": {"support": "required"}})
    theirs, ours = page.evaluate(CREATE, create), client.create(create)
    assert shape(ours) == shape(theirs)
    assert ours["clientExtensionResults"] == theirs["clientExtensionResults"]
    for members in ({"prf": INPUT}, {"largeBlob": {"read": True}}, {"largeBlob": {"write": "AAAA"}}):
        named = {side["id"]: request_options(side["id"], extensions=members) for side in (theirs, ours)}
        theirs_now = page.evaluate(GET, named[theirs["id"]])
        ours_now = client.get(named[ours["id"]])
        # Chromium keeps the values of prf out of what a page sends on; here they are what the caller is after.
        ours_now["clientExtensionResults"].get("prf", {}).pop("results", None)
        assert shape(ours_now) == shape(theirs_now)
        data = [decode(side["response"]["clientDataJSON"]) for side in (ours_now, theirs_now)]
        assert without_optional(data[0]) == without_optional(data[1])
        assert data[1].startswith(data[0][:-1])
