"""What the API description tells of each operation beside its shapes: a few sentences, and examples of bodies.

Keys are method and path, as in the table of routes; a test wants an entry for every row and holds it to the shapes.
The description lists operations in the order in which they stand here: that of the table is for the router.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authctl.server.http import examples, models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is told of one operation.

    text       what it does, for whom, and what to know before calling it; Markdown
    requests   bodies to send, each under a few words
    answers    bodies of the success, each under a few words; none for an answer without a body
    location   what the Location field of the success holds, where it has one
    carried    the shape of the body that a redirect takes to where it leads
    """

    text: str
    requests: Mapping[str, object] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)
    location: str = ""
    carried: type[BaseModel] | None = None


ABOUT: Final = """\
A person registers and logs in with finger, face or PIN of their device (WebAuthn), and gets an access token.

**Signing in here.** Log in on the [demo page](./) and come back in the same tab: its token is taken over. Or give any
access token to *Authorize*. A ceremony needs an authenticator, which this page has not. In a terminal
`authctl simulate login --url http://localhost:8000 --print-token` goes through one and writes the token; put the
address of this service there, as its operator gave it.

**Errors** are problem documents (RFC 9457): `type` for programs, `detail` for people, and in `instance` the id of the
request, which every answer carries in `X-Request-ID` and the operator finds in the log. 422 names every wrong member.
A refused ceremony is told in one sentence, whatever was wrong; the audit trail knows the reason.

**Bodies** are JSON in UTF-8 of at most 64 KB, without duplicate or unknown members. Times are ISO 8601 in UTC.

**Methods.** HEAD is answered like GET, without the body. OPTIONS is answered with 204 and `Allow`, every other method
that a path does not have with 405 and `Allow`.

**Limits.** 429 says in `Retry-After` how many seconds to wait. 503 means that nothing was changed: the same call may
succeed later.
"""

TAGS: Final[dict[str, str]] = {
    "registration": "An account comes into being together with its first passkey.",
    "login": "A passkey proves who is there; the answer is an access token.",
    "users": "Users see themselves, admins see everybody. Every look is an event of the audit trail.",
    "credentials": "The passkeys of an account. Adding and removing want a login of the last five minutes.",
    "audit": "Questions to the audit trail, for admins.",
    "service": "About the service itself.",
}

PARAMETERS: Final[dict[str, tuple[str, str]]] = {
    "id": ("The id of a user, a UUID.", examples.JANE_ID),
    "credential_id": ("The `id` of a passkey, a UUID.", examples.PASSKEY_ID),
}
"""What stands for a part of a path, and an example of it."""

EXPLANATIONS: Final[dict[str, Explanation]] = {
    "POST /register/begin": Explanation(
        "Give the answer's `publicKey` to `PublicKeyCredential.parseCreationOptionsFromJSON()` and the result to "
        "`navigator.credentials.create()`. The challenge is good for five minutes and one attempt. No account exists "
        "yet, and the answer is the same when the e-mail has one already.",
        {"Jane": examples.PERSON},
        {"Options": {"publicKey": examples.CREATION}},
    ),
    "POST /register/complete": Explanation(
        "Send the `toJSON()` of the new credential, with the e-mail that the registration was begun with. Account and "
        "passkey are made together. Whatever is wrong, the answer is the same 400 and the challenge is used up.",
        {"A new credential": {"email": "jane@example.com", "credential": examples.NEW_CREDENTIAL}},
        {"Jane": examples.USER},
        location="the address of the new user, relative",
    ),
    "POST /users": Explanation(
        "Another name for `POST /register/begin`, by a redirect that keeps method and body. A client that follows it "
        "gets the answers of that operation.",
        {"Jane": examples.PERSON},
        {"For people": "See /register/begin\n"},
        location="`/register/begin`, relative: send method and body there",
        carried=models.RegistrationBegin,
    ),
    "POST /login/begin": Explanation(
        "With an e-mail the options list the passkeys of the account; an unknown e-mail gets a list too, so that "
        "nobody learns who has an account. Without one they list none, and the authenticator says who is there "
        "(passkey autofill).",
        {"With an e-mail": examples.BY_EMAIL, "Without": {}},
        {
            "With an e-mail": {"publicKey": examples.REQUEST},
            "Without": {"publicKey": {**examples.REQUEST, "allowCredentials": []}},
        },
    ),
    "POST /login/complete": Explanation(
        "Send the `toJSON()` of the assertion, with the e-mail if the login was begun with one. Whatever is wrong, the "
        "answer is the same 401 and the challenge is used up.",
        {
            "With an e-mail": {"email": "jane@example.com", "assertion": examples.ASSERTION},
            "Without": {"assertion": examples.ASSERTION},
        },
        {
            "A token": {
                "access_token": examples.JWT,
                "token_type": "bearer",
                "expires_in": 3600,
                "user": examples.SUMMARY,
            }
        },
    ),
    "POST /login": Explanation(
        "Another name for `POST /login/begin`, by a redirect that keeps method and body. A client that follows it gets "
        "the answers of that operation.",
        {"With an e-mail": examples.BY_EMAIL, "Without": {}},
        {"For people": "See /login/begin\n"},
        location="`/login/begin`, relative: send method and body there",
        carried=models.LoginBegin,
    ),
    "GET /users/me": Explanation("Whoever the token belongs to.", answers={"Jane": examples.USER}),
    "GET /users/{id}": Explanation(
        "Users get themselves, admins get anybody. Asking for another id is 403 for a user, whether it exists or not; "
        "an admin is told 404.",
        answers={"Jane": examples.USER},
    ),
    "GET /users/me/credentials": Explanation(
        "Oldest first. A passkey that was removed is not listed.", answers={"One": {"credentials": [examples.PASSKEY]}}
    ),
    "POST /users/me/credentials/begin": Explanation(
        "As `POST /register/begin`, for whom the token belongs to. `excludeCredentials` names the passkeys that the "
        "account has, so that no authenticator makes a second one.",
        {"Nothing": {}},
        {
            "Options": {
                "publicKey": {
                    **examples.CREATION,
                    "excludeCredentials": [{"type": "public-key", "id": examples.PASSKEY["credential_id"]}],
                }
            }
        },
    ),
    "POST /users/me/credentials/complete": Explanation(
        "Send the `toJSON()` of the new credential. Without a name it is called after its authenticator, as far as "
        "that is known.",
        {
            "With a name": {"credential": examples.NEW_CREDENTIAL, "name": "Work laptop"},
            "Without": {"credential": examples.NEW_CREDENTIAL},
        },
        {"The passkey": examples.PASSKEY},
    ),
    "PATCH /users/me/credentials/{credential_id}": Explanation(
        "The name is for people alone: 1 to 100 characters.",
        {"A name": {"name": "Work laptop"}},
        {"The passkey": examples.PASSKEY},
    ),
    "DELETE /users/me/credentials/{credential_id}": Explanation(
        "It never logs in again, and sessions that it began end. The last one stays: 409. An unknown id, one of "
        "somebody else and one that was removed are 404 alike."
    ),
    "GET /users/{id}/credentials": Explanation(
        "Oldest first. A passkey that was removed is not listed.", answers={"One": {"credentials": [examples.PASSKEY]}}
    ),
    "PATCH /users/{id}/credentials/{credential_id}": Explanation(
        "For the user themselves and for admins. The name is for people alone: 1 to 100 characters.",
        {"A name": {"name": "Work laptop"}},
        {"The passkey": examples.PASSKEY},
    ),
    "DELETE /users/{id}/credentials/{credential_id}": Explanation(
        "For the user themselves and for admins, both with a fresh login. It never logs in again, and sessions that it "
        "began end. The last one stays: 409."
    ),
    "GET /audit/events": Explanation(
        "Parameters narrow the answer down and may be combined; those that take several values may be repeated, or "
        "hold them comma separated. Pages follow each other by `cursor`. With `count_by` the answer is groups instead "
        "of events. The question is an event itself.",
        answers={
            "Events": {"events": [examples.EVENT], "next": examples.CURSOR},
            "Groups, with count_by=event_type,success": {"groups": [examples.GROUP]},
        },
    ),
    "GET /": Explanation(
        "The demo page for people. Where the setting `PAGES` is off, as in production, a pointer for programs.",
        answers={"Without pages": examples.POINTER},
    ),
    "GET /openapi.json": Explanation(
        "OpenAPI 3.1, made from the table of routes that the service runs on.",
        answers={"Its beginning": {"openapi": "3.1.0", "info": {"title": "authctl"}}},
    ),
    "GET /healthz": Explanation(
        "Touches nothing, so that a slow database cannot make a process look dead.",
        answers={"Live": {"status": "live"}},
    ),
    "GET /readyz": Explanation(
        "Looks at the store and the audit trail. The reason why not stands in the log of the service.",
        answers={"Ready": {"status": "ready"}},
    ),
}
