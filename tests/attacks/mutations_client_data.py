"""Defects of the client data, in both ceremonies; everything is signed again after the change but for one case."""

from __future__ import annotations

import json
import secrets

from tests.attacks.drafts import Draft, text
from tests.attacks.laboratory import ORIGIN, RP_ID
from tests.attacks.registry import mutation


@mutation("cd.type-missing")
def type_missing(draft: Draft) -> None:
    del draft.client["type"]


@mutation("cd.type-not-string", "number")
def type_is_number(draft: Draft) -> None:
    draft.client["type"] = 1


@mutation("cd.type-not-string", "array")
def type_is_array(draft: Draft) -> None:
    draft.client["type"] = [draft.client["type"]]


@mutation("cd.type-wrong")
def type_wrong(draft: Draft) -> None:
    draft.client["type"] = "payment.get"


@mutation("cd.type-swapped")
def type_of_the_other_ceremony(draft: Draft) -> None:
    draft.client["type"] = {"webauthn.create": "webauthn.get", "webauthn.get": "webauthn.create"}[draft.client["type"]]


@mutation("cd.challenge-missing")
def challenge_missing(draft: Draft) -> None:
    del draft.client["challenge"]


@mutation("cd.challenge-array")
def challenge_in_an_array(draft: Draft) -> None:
    draft.client["challenge"] = [draft.client["challenge"]]


@mutation("cd.challenge-empty")
def challenge_empty(draft: Draft) -> None:
    draft.client["challenge"] = ""


@mutation("cd.challenge-wrong")
def challenge_of_nobody(draft: Draft) -> None:
    draft.client["challenge"] = text(secrets.token_bytes(32))


@mutation("cd.origin-missing")
def origin_missing(draft: Draft) -> None:
    del draft.client["origin"]


@mutation("cd.origin-empty")
def origin_empty(draft: Draft) -> None:
    draft.client["origin"] = ""


@mutation("cd.origin-other")
def origin_of_another_site(draft: Draft) -> None:
    draft.client["origin"] = "https://attacker.test"


@mutation("cd.origin-http")
def origin_without_tls(draft: Draft) -> None:
    draft.client["origin"] = f"http://{RP_ID}"


@mutation("cd.origin-subdomain")
def origin_of_a_subdomain(draft: Draft) -> None:
    draft.client["origin"] = f"https://elsewhere.{RP_ID}"


@mutation("cd.origin-suffix-trick", "ends with")
def origin_ends_with_the_rp_id(draft: Draft) -> None:
    draft.client["origin"] = f"https://evil-{RP_ID}"


@mutation("cd.origin-suffix-trick", "starts with")
def origin_starts_with_the_rp_id(draft: Draft) -> None:
    draft.client["origin"] = f"{ORIGIN}.attacker.test"


@mutation("cd.origin-userinfo-trick")
def origin_with_our_host_as_a_user_name(draft: Draft) -> None:
    draft.client["origin"] = f"{ORIGIN}@attacker.test"


@mutation("cd.origin-null")
def origin_opaque(draft: Draft) -> None:
    draft.client["origin"] = "null"


@mutation("cd.cross-origin-true")
def cross_origin(draft: Draft) -> None:
    draft.client["crossOrigin"] = True


@mutation("cd.top-origin-unexpected")
def framed(draft: Draft) -> None:
    draft.client |= {"crossOrigin": True, "topOrigin": "https://portal.example.net"}


@mutation("cd.top-origin-without-cross")
def top_origin_alone(draft: Draft) -> None:
    draft.client["crossOrigin"] = False


@mutation("cd.top-origin-mismatch")
def top_origin_of_another_site(draft: Draft) -> None:
    draft.client["topOrigin"] = "https://attacker.test"


@mutation("cd.tokenbinding-not-object")
def token_binding_is_text(draft: Draft) -> None:
    draft.client["tokenBinding"] = "none"


@mutation("cd.tokenbinding-bad-status")
def token_binding_of_unknown_status(draft: Draft) -> None:
    draft.client["tokenBinding"] = {"status": "imagined"}


@mutation("cd.bom")
def byte_order_mark(draft: Draft) -> None:
    draft.client_bytes = b"\xef\xbb\xbf" + draft.client_json()


@mutation("cd.extra-members")
def extra_members(draft: Draft) -> None:
    draft.client["extraData"] = "clients may add members, as they did before"


@mutation("cd.cross-origin-absent")
def cross_origin_absent(draft: Draft) -> None:
    del draft.client["crossOrigin"]


@mutation("cd.trailing-garbage")
def bytes_after_the_end(draft: Draft) -> None:
    draft.client_bytes = draft.client_json() + b"}"


def _twice(draft: Draft, name: str, first: str) -> None:
    pair = f"{json.dumps(name)}:{json.dumps(first)},".encode()
    draft.client_bytes = b"{" + pair + draft.client_json()[1:]


@mutation("cd.dup-origin")
def origin_twice(draft: Draft) -> None:
    _twice(draft, "origin", "https://attacker.test")


@mutation("cd.dup-challenge")
def challenge_twice(draft: Draft) -> None:
    _twice(draft, "challenge", text(secrets.token_bytes(32)))


def _nested(draft: Draft, levels: int) -> None:
    draft.client_bytes = draft.client_json()[:-1] + b',"extra":' + b"[" * levels + b"]" * levels + b"}"


@mutation("cd.deep-json")
def nested_100_000_deep(draft: Draft) -> None:
    _nested(draft, 100_000)


@mutation("cd.deep-json", "as large as a body may be")
def nested_20_000_deep(draft: Draft) -> None:
    _nested(draft, 20_000)


@mutation("cd.hash-mismatch")
def altered_after_signing(draft: Draft) -> None:
    draft.seal()
    draft.client["extraData"] = "nobody signed this"
