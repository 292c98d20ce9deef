"""Faults of the JSON around the binary parts: members missing, of another type, or at odds with each other."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.faults.drafts import ABSENT, AssertionDraft, Draft, RegistrationDraft, text
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.json_text import JsonText, members, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.interface import Alter

fault = partial(any_fault, Layer.ENVELOPE)

FOREIGN: Final = "!!!!"
"""Characters that lenient decoders of base64url drop; four, so that the padding that they add stays right."""

Message = RegistrationDraft | AssertionDraft


@fault("reg.env.id-missing")
@fault("auth.env.id-missing")
def id_missing(draft: Draft) -> None:
    """No id."""
    del draft.envelope["id"]


@fault("reg.env.id-not-string")
@fault("auth.env.id-not-string")
def id_not_string(draft: Draft) -> None:
    """The id in an array."""
    draft.envelope["id"] = [draft.envelope["id"]]


@fault("reg.env.id-empty")
@fault("auth.env.id-empty")
def id_empty(draft: Draft) -> None:
    """An id of no characters."""
    draft.envelope["id"] = ""


@fault("reg.env.id-not-base64url")
@fault("auth.env.id-not-base64url")
def id_not_base64url(draft: Draft) -> None:
    """Foreign characters in the id."""
    draft.envelope["id"] += FOREIGN


@fault("reg.env.id-rawid-differ")
@fault("auth.env.id-rawid-differ")
def id_and_raw_id_differ(draft: Draft) -> None:
    """The id of nobody beside the right rawId."""
    draft.envelope["id"] = text(secrets.token_bytes(32))


@fault("auth.env.rawid-differs")
def raw_id_of_nobody(draft: Draft) -> None:
    """The rawId of nobody beside the right id."""
    draft.envelope["rawId"] = text(secrets.token_bytes(32))


@fault("reg.env.rawid-missing")
@fault("auth.env.rawid-missing")
def raw_id_missing(draft: Draft) -> None:
    """No rawId."""
    del draft.envelope["rawId"]


@fault("reg.env.rawid-not-string")
@fault("auth.env.rawid-not-string")
def raw_id_not_string(draft: Draft) -> None:
    """The rawId as an object of numbered bytes, as careless scripts serialise it."""
    draft.envelope["rawId"] = {str(place): 7 for place in range(32)}


@fault("auth.env.rawid-junk-chars")
def raw_id_with_foreign_characters(draft: Draft) -> None:
    """Foreign characters in the rawId alone."""
    draft.envelope["rawId"] += FOREIGN


@fault("reg.env.type-missing")
@fault("auth.env.type-missing")
def type_missing(draft: Draft) -> None:
    """No type."""
    del draft.envelope["type"]


@fault("reg.env.type-not-string")
@fault("auth.env.type-not-string")
def type_not_string(draft: Draft) -> None:
    """The right type in an array."""
    draft.envelope["type"] = ["public-key"]


@fault("reg.env.type-wrong")
@fault("auth.env.type-wrong")
def type_wrong(draft: Draft) -> None:
    """Another kind of credential."""
    draft.envelope["type"] = "password"


@fault("reg.env.type-case")
@fault("auth.env.type-case")
def type_in_another_case(draft: Draft) -> None:
    """The right type in capitals."""
    draft.envelope["type"] = "PUBLIC-KEY"


@fault("reg.env.response-missing")
@fault("auth.env.response-missing")
def response_missing(draft: Draft) -> None:
    """No response."""
    draft.send({name: value for name, value in draft.envelope.items() if name != "response"})


def _response(value: Callable[[Any], object]) -> Alter:
    def alter(draft: Draft) -> None:
        document = draft.put_together()
        draft.send({**document, "response": value(document["response"])})

    return alter


for ceremony in ("reg", "auth"):
    fault(f"{ceremony}.env.response-not-object", "text")(_response(lambda response: response["clientDataJSON"]))
    fault(f"{ceremony}.env.response-not-object", "array")(_response(lambda response: [response]))
    fault(f"{ceremony}.env.response-not-object", "null")(_response(lambda _: None))
    fault(f"{ceremony}.env.response-empty")(_response(lambda _: {}))


@fault("reg.env.cdj-missing")
@fault("auth.env.cdj-missing")
def client_data_missing(draft: Draft) -> None:
    """No clientDataJSON."""
    draft.respond(clientDataJSON=ABSENT)


@fault("reg.env.cdj-not-string")
@fault("auth.env.cdj-not-string")
def client_data_not_string(draft: Draft) -> None:
    """The client data as an object instead of its bytes."""
    draft.respond(clientDataJSON=draft.client)


@fault("reg.env.cdj-empty")
@fault("auth.env.cdj-empty")
def client_data_empty(draft: Draft) -> None:
    """No bytes of client data."""
    draft.client_bytes = b""


@fault("reg.env.cdj-not-base64url")
@fault("auth.env.cdj-not-base64url")
def client_data_not_base64url(draft: Draft) -> None:
    """Foreign characters in clientDataJSON."""
    draft.respond(clientDataJSON=text(draft.client_json()) + FOREIGN)


@fault("reg.env.cdj-plain-json")
@fault("auth.env.cdj-plain-json")
def client_data_as_plain_json(draft: Draft) -> None:
    """The client data as JSON text that was never encoded."""
    draft.respond(clientDataJSON=draft.client_json().decode())


@fault("reg.env.ao-missing")
def attestation_object_missing(draft: Draft) -> None:
    """No attestationObject."""
    draft.respond(attestationObject=ABSENT)


@fault("reg.env.ao-not-string")
def attestation_object_not_string(draft: RegistrationDraft) -> None:
    """The attestation object as numbers."""
    draft.respond(attestationObject=list(draft.attestation_object()))


@fault("reg.env.ao-empty")
def attestation_object_empty(draft: RegistrationDraft) -> None:
    """No bytes of attestation object."""
    draft.object_bytes = b""


@fault("reg.env.ao-not-base64url")
def attestation_object_not_base64url(draft: RegistrationDraft) -> None:
    """Foreign characters in attestationObject."""
    draft.respond(attestationObject=text(draft.attestation_object()) + FOREIGN)


@fault("auth.env.ad-missing")
def authenticator_data_missing(draft: Draft) -> None:
    """No authenticatorData."""
    draft.respond(authenticatorData=ABSENT)


@fault("auth.env.ad-not-string")
def authenticator_data_not_string(draft: Draft) -> None:
    """The authenticator data as numbers."""
    draft.respond(authenticatorData=list(draft.authenticator_data()))


@fault("auth.env.ad-not-base64url")
def authenticator_data_not_base64url(draft: Draft) -> None:
    """Foreign characters in authenticatorData."""
    draft.respond(authenticatorData=text(draft.authenticator_data()) + FOREIGN)


@fault("auth.env.sig-missing")
def signature_missing(draft: Draft) -> None:
    """No signature."""
    draft.respond(signature=ABSENT)


@fault("auth.env.sig-null")
def signature_null(draft: Draft) -> None:
    """Null where the signature is expected."""
    draft.respond(signature=None)


@fault("auth.env.sig-not-string")
def signature_not_string(draft: Draft) -> None:
    """The signature as numbers."""
    draft.respond(signature=list(draft.sign()))


@fault("auth.env.sig-not-base64url")
def signature_not_base64url(draft: Draft) -> None:
    """Foreign characters in the signature."""
    draft.respond(signature=text(draft.sign()) + FOREIGN)


@fault("auth.env.sig-empty")
def signature_empty(draft: Draft) -> None:
    """A signature of no bytes."""
    draft.signature = b""


@fault("auth.env.userhandle-not-string", "number")
def user_handle_is_number(draft: Draft) -> None:
    """A number as user handle."""
    draft.respond(userHandle=1)


@fault("auth.env.userhandle-not-string", "object")
def user_handle_is_object(draft: Draft) -> None:
    """An object as user handle."""
    draft.respond(userHandle={"id": draft.response["userHandle"]})


@fault("auth.env.userhandle-not-base64url")
def user_handle_not_base64url(draft: Draft) -> None:
    """One character, which is no base64url of anything."""
    draft.respond(userHandle="A")


@fault("reg.env.assertion-posted")
def assertion_for_a_registration(draft: RegistrationDraft) -> None:
    """The response of an assertion."""
    response = {
        "clientDataJSON": text(draft.client_json()),
        "authenticatorData": text(draft.authenticator_data()),
        "signature": text(draft.sign()),
    }
    draft.send({**draft.envelope, "response": response})


@fault("auth.env.registration-posted")
def registration_for_an_assertion(draft: AssertionDraft) -> None:
    """The response of a registration."""
    response = {"clientDataJSON": text(draft.client_json()), "attestationObject": text(draft.authenticator_data())}
    draft.send({**draft.envelope, "response": response})


@fault("reg.env.convenience-lies")
def copies_that_contradict(draft: RegistrationDraft) -> None:
    """Copies beside the attestation object that say something else."""
    draft.respond(publicKey=text(secrets.token_bytes(91)), publicKeyAlgorithm=-257, authenticatorData=text(bytes(37)))


@fault("reg.env.rawid-not-attested-id")
def ids_outside_differ_from_the_one_inside(draft: RegistrationDraft) -> None:
    """Ids that agree with each other and not with the authenticator data."""
    draft.envelope["id"] = draft.envelope["rawId"] = text(secrets.token_bytes(32))


@fault("reg.env.transports-unknown")
def transports_unknown(draft: Draft) -> None:
    """A transport that nobody knows."""
    draft.response["transports"] = ["internal", "telepathy"]


@fault("reg.env.transports-not-array")
def transports_not_array(draft: Draft) -> None:
    """Transports as one text."""
    draft.response["transports"] = "internal"


@fault("reg.env.transports-not-strings")
def transports_of_numbers(draft: Draft) -> None:
    """Transports that are objects."""
    draft.response["transports"] = [{"name": "internal"}, 7]


@fault("reg.env.transports-missing")
def transports_missing(draft: Draft) -> None:
    """No transports, as older clients have it."""
    draft.response.pop("transports", None)


@fault("reg.env.attachment-unknown")
@fault("auth.env.attachment-unknown")
def attachment_unknown(draft: Draft) -> None:
    """An attachment that nobody knows."""
    draft.envelope["authenticatorAttachment"] = "implanted"


@fault("reg.env.attachment-null")
@fault("auth.env.attachment-null")
def attachment_null(draft: Draft) -> None:
    """No attachment told."""
    draft.envelope["authenticatorAttachment"] = None


@fault("reg.env.extra-members")
@fault("auth.env.extra-members")
def extra_members(draft: Draft) -> None:
    """Members that a later client might add."""
    draft.envelope["futureMember"] = {"a": [1, None]}
    draft.response["futureMember"] = "something"


@fault("reg.ext.credprops")
def credential_properties(draft: Draft) -> None:
    """A client extension output that says that the credential is not discoverable."""
    draft.envelope["clientExtensionResults"] = {"credProps": {"rk": False}}


@fault("auth.ext.unsolicited")
@fault("reg.ext.unsolicited")
def outputs_that_nobody_asked_for(draft: Draft) -> None:
    """Client extension outputs that were never requested."""
    results = {"appid": True, "prf": {"enabled": True}, "unheardOf": {"a": 1}}
    draft.envelope["clientExtensionResults"] = results


@fault("auth.ext.not-object")
@fault("reg.ext.not-object")
def outputs_in_an_array(draft: Draft) -> None:
    """Client extension outputs that are no object."""
    draft.envelope["clientExtensionResults"] = []


@fault("reg.ext.missing")
@fault("auth.ext.missing")
def outputs_missing(draft: Draft) -> None:
    """No client extension outputs, as some libraries leave them out."""
    draft.envelope.pop("clientExtensionResults", None)


def _whole(value: Callable[[dict[str, Any]], object]) -> Alter:
    return lambda draft: draft.send(value(draft.put_together()))


def _nested(document: dict[str, Any], levels: int) -> object:
    return {**document, "extra": JsonText("[" * levels + "]" * levels)}


def _first(document: dict[str, Any], name: str, value: object) -> object:
    return members([(name, value), *document.items()])


def _response_first(document: dict[str, Any], name: str, value: object) -> object:
    return {**document, "response": _first(document["response"], name, value)}


_NOBODY: Final = text(bytes(32))

for ceremony, inner in (("reg", "clientDataJSON"), ("auth", "signature")):
    fault(f"{ceremony}.env.not-an-object", "array")(_whole(lambda document: [document]))
    fault(f"{ceremony}.env.not-an-object", "null")(_whole(lambda _: None))
    fault(f"{ceremony}.env.not-an-object", "text")(_whole(lambda _: "public-key"))
    fault(f"{ceremony}.env.not-an-object", "number")(_whole(lambda _: 1))
    fault(f"{ceremony}.env.not-json")(_whole(lambda document: JsonText(write(document)[:-1])))
    fault(f"{ceremony}.env.deep-json")(_whole(partial(_nested, levels=100_000)))
    fault(f"{ceremony}.env.deep-json", "20 000 levels")(_whole(partial(_nested, levels=20_000)))
    fault(f"{ceremony}.env.dup-members")(_whole(partial(_first, name="response", value={})))
    fault(f"{ceremony}.env.dup-members", "rawId")(_whole(partial(_first, name="rawId", value=_NOBODY)))
    fault(f"{ceremony}.env.dup-members", inner)(_whole(partial(_response_first, name=inner, value=_NOBODY)))
    fault(f"{ceremony}.env.nan")(_whole(lambda document: {**document, "extra": JsonText("NaN")}))
    fault(f"{ceremony}.env.huge-number")(_whole(lambda document: {**document, "extra": JsonText("1" * 5000)}))
    fault(f"{ceremony}.env.lone-surrogate")(_whole(lambda document: {**document, "type": "public-key\ud800"}))
