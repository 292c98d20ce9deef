"""Defects of the JSON around the binary parts: members missing, of another type, or at odds with each other."""

from __future__ import annotations

import secrets
from typing import Any

from tests.attacks.drafts import AssertionDraft, Draft, RegistrationDraft, text
from tests.attacks.registry import NULL, mutation

FOREIGN = "!!!!"
"""Characters that lenient decoders of base64url drop; four, so that the padding that they add stays right."""


@mutation("reg.env.id-missing")
@mutation("auth.env.id-missing")
def id_missing(draft: Draft) -> None:
    del draft.envelope["id"]


@mutation("reg.env.id-not-base64url")
@mutation("auth.env.id-not-base64url")
def id_not_base64url(draft: Draft) -> None:
    draft.envelope["id"] += FOREIGN


@mutation("reg.env.id-rawid-differ")
def id_and_raw_id_differ(draft: Draft) -> None:
    draft.envelope["id"] = text(secrets.token_bytes(32))


@mutation("reg.env.rawid-missing")
@mutation("auth.env.rawid-missing")
def raw_id_missing(draft: Draft) -> None:
    del draft.envelope["rawId"]


@mutation("reg.env.type-missing")
@mutation("auth.env.type-missing")
def type_missing(draft: Draft) -> None:
    del draft.envelope["type"]


@mutation("auth.env.type-not-string")
def type_not_string(draft: Draft) -> None:
    draft.envelope["type"] = ["public-key"]


@mutation("reg.env.type-wrong")
@mutation("auth.env.type-wrong")
def type_wrong(draft: Draft) -> None:
    draft.envelope["type"] = "password"


@mutation("reg.env.response-missing")
def response_missing(draft: Draft) -> dict[str, Any]:
    return {name: value for name, value in draft.envelope.items() if name != "response"}


@mutation("reg.env.response-not-object", "text")
@mutation("auth.env.response-not-object", "text")
def response_is_text(draft: Draft) -> dict[str, Any]:
    return {**draft.envelope, "response": draft.envelope["response"]["clientDataJSON"]}


@mutation("reg.env.response-not-object", "array")
@mutation("auth.env.response-not-object", "array")
def response_is_array(draft: Draft) -> dict[str, Any]:
    return {**draft.envelope, "response": [draft.envelope["response"]]}


def _changed(draft: RegistrationDraft | AssertionDraft, **members: object) -> dict[str, Any]:
    document = draft.document()
    document["response"].update(members)
    return document


def _without(draft: RegistrationDraft | AssertionDraft, name: str) -> dict[str, Any]:
    document = draft.document()
    del document["response"][name]
    return document


@mutation("reg.env.cdj-missing")
@mutation("auth.env.cdj-missing")
def client_data_missing(draft: RegistrationDraft | AssertionDraft) -> dict[str, Any]:
    return _without(draft, "clientDataJSON")


@mutation("auth.env.cdj-empty")
def client_data_empty(draft: AssertionDraft) -> None:
    draft.client_bytes = b""


@mutation("reg.env.ao-missing")
def attestation_object_missing(draft: RegistrationDraft) -> dict[str, Any]:
    return _without(draft, "attestationObject")


@mutation("reg.env.ao-not-string")
def attestation_object_not_string(draft: RegistrationDraft) -> dict[str, Any]:
    return _changed(draft, attestationObject=list(draft.attestation_object()))


@mutation("reg.env.ao-empty")
def attestation_object_empty(draft: RegistrationDraft) -> None:
    draft.object_bytes = b""


@mutation("auth.env.ad-not-string")
def authenticator_data_not_string(draft: AssertionDraft) -> dict[str, Any]:
    return _changed(draft, authenticatorData=list(draft.authenticator_data()))


@mutation("auth.env.ad-not-base64url")
def authenticator_data_not_base64url(draft: AssertionDraft) -> dict[str, Any]:
    return _changed(draft, authenticatorData=text(draft.authenticator_data()) + FOREIGN)


@mutation("auth.env.sig-missing")
def signature_missing(draft: AssertionDraft) -> dict[str, Any]:
    return _without(draft, "signature")


@mutation("auth.env.sig-not-string")
def signature_not_string(draft: AssertionDraft) -> dict[str, Any]:
    return _changed(draft, signature=list(draft.sign()))


@mutation("auth.env.sig-not-base64url")
def signature_not_base64url(draft: AssertionDraft) -> dict[str, Any]:
    return _changed(draft, signature=text(draft.sign()) + FOREIGN)


@mutation("auth.env.sig-empty")
def signature_empty(draft: AssertionDraft) -> None:
    draft.signature = b""


@mutation("auth.env.userhandle-not-string", "number")
def user_handle_is_number(draft: AssertionDraft) -> dict[str, Any]:
    return _changed(draft, userHandle=1)


@mutation("auth.env.userhandle-not-string", "object")
def user_handle_is_object(draft: AssertionDraft) -> dict[str, Any]:
    return _changed(draft, userHandle={"id": draft.envelope["response"]["userHandle"]})


@mutation("reg.env.assertion-posted")
def assertion_for_a_registration(draft: RegistrationDraft) -> dict[str, Any]:
    response = {
        "clientDataJSON": text(draft.client_json()),
        "authenticatorData": text(draft.authenticator_data()),
        "signature": text(draft.sign()),
    }
    return {**draft.envelope, "response": response}


@mutation("auth.env.registration-posted")
def registration_for_an_assertion(draft: AssertionDraft) -> dict[str, Any]:
    response = {"clientDataJSON": text(draft.client_json()), "attestationObject": text(draft.authenticator_data())}
    return {**draft.envelope, "response": response}


@mutation("reg.env.rawid-not-attested-id")
def ids_outside_differ_from_the_one_inside(draft: RegistrationDraft) -> None:
    draft.envelope["id"] = draft.envelope["rawId"] = text(secrets.token_bytes(32))


@mutation("reg.env.not-an-object", "array")
@mutation("auth.env.not-an-object", "array")
def credential_is_array(draft: RegistrationDraft | AssertionDraft) -> list[dict[str, Any]]:
    return [draft.document()]


@mutation("reg.env.not-an-object", "null")
@mutation("auth.env.not-an-object", "null")
def credential_is_null(draft: Draft) -> object:
    return NULL


@mutation("reg.env.not-an-object", "text")
@mutation("auth.env.not-an-object", "text")
def credential_is_text(draft: Draft) -> str:
    return "public-key"


@mutation("reg.env.attachment-unknown")
@mutation("auth.env.attachment-unknown")
def attachment_unknown(draft: Draft) -> None:
    draft.envelope["authenticatorAttachment"] = "implanted"
