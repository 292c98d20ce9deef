"""The shapes of request and answer bodies: what is checked on the way in, and what the API description promises.

Unknown members of a body are refused. What stands inside `credential` and `assertion` is judged by the ceremony alone:
whatever is wrong there is its generic failure, and uses up the challenge.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  pydantic reads annotations at run time
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from authctl.errors import InvalidRequest
from authctl.server.accounts.normalising import BirthDate, Email, PersonName  # noqa: TC001  as above
from authctl.server.ceremonies.registration import Profile

Members = Annotated[dict[str, Any], Field(strict=True)]


class RequestBody(BaseModel):
    """A body that a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @property
    def counted_email(self) -> str | None:
        """The e-mail inside, of which limits count how often it comes."""
        return None

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """The body that a JSON object is; raises InvalidRequest with every field that is wrong."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise InvalidRequest(complaints(error)) from error


class CeremonyBody(RequestBody):
    """A body that says whose ceremony it belongs to."""

    email: str | None

    @property
    def counted_email(self) -> str | None:
        """The e-mail inside."""
        return self.email


class RegistrationBegin(CeremonyBody):
    """Who wants an account."""

    first_name: PersonName
    last_name: PersonName
    email: Email
    date_of_birth: BirthDate
    job_title: PersonName

    def profile(self) -> Profile:
        """What the registration is begun with."""
        return Profile(
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            date_of_birth=self.date_of_birth,
            job_title=self.job_title,
        )


class RegistrationComplete(CeremonyBody):
    """The new credential, as `PublicKeyCredential.toJSON()` gives it."""

    email: Email
    credential: Members


class LoginBegin(CeremonyBody):
    """Who wants to log in; without an e-mail the authenticator is to say."""

    email: Email | None = None


class LoginComplete(CeremonyBody):
    """The assertion, as `PublicKeyCredential.toJSON()` gives it; with an e-mail if the login was begun with one."""

    email: Email | None = None
    assertion: Members


class CredentialBegin(RequestBody):
    """Nothing: who adds a passkey is told by the token."""


class CredentialComplete(RequestBody):
    """The new credential, as `PublicKeyCredential.toJSON()` gives it; without a name it gets its authenticator's."""

    credential: Members
    name: PersonName | None = None


class CredentialRename(RequestBody):
    """What a passkey is to be called."""

    name: PersonName


class AnswerBody(BaseModel):
    """A body that the service sends."""

    model_config = ConfigDict(extra="forbid")


class UserSummary(AnswerBody):
    """A user, as a login answers."""

    id: str
    first_name: str
    last_name: str
    email: str
    role: Literal["user", "admin"]


class UserResponse(UserSummary):
    """A user. `date_of_birth` is midnight UTC."""

    date_of_birth: datetime
    job_title: str
    created_at: datetime


class TokenResponse(AnswerBody):
    """A login that succeeded. `expires_in` is in seconds."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    user: UserSummary


class CredentialResponse(AnswerBody):
    """A passkey. `authenticator` is the model that its AAGUID stands for, as far as that is known."""

    id: str
    credential_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    aaguid: str
    authenticator: str | None
    algorithm: str
    transports: list[str]
    backup_eligible: bool
    backed_up: bool


class CredentialList(AnswerBody):
    """The passkeys of an account, oldest first."""

    credentials: list[CredentialResponse]


class RelyingParty(AnswerBody):
    """The service, as an authenticator knows it."""

    id: str
    name: str


class UserEntity(AnswerBody):
    """The account, as an authenticator knows it; `id` is the user handle, base64url."""

    id: str
    name: str
    displayName: str  # noqa: N815  the standard's word


class CredentialParameter(AnswerBody):
    """An algorithm, by its COSE number."""

    type: Literal["public-key"]
    alg: int


class CredentialDescriptor(BaseModel):
    """A credential, by its id in base64url."""

    model_config = ConfigDict(extra="allow")

    type: Literal["public-key"]
    id: str
    transports: list[str] | None = None


class PublicKeyCreationOptions(BaseModel):
    """What `PublicKeyCredential.parseCreationOptionsFromJSON()` takes (WebAuthn section 5.4)."""

    model_config = ConfigDict(extra="allow")

    challenge: str
    rp: RelyingParty
    user: UserEntity
    pubKeyCredParams: list[CredentialParameter]  # noqa: N815  the standard's word
    authenticatorSelection: dict[str, Any]  # noqa: N815  the standard's word
    attestation: str
    timeout: int
    excludeCredentials: list[CredentialDescriptor]  # noqa: N815  the standard's word


class CreationOptions(AnswerBody):
    """The argument of `navigator.credentials.create()`."""

    publicKey: PublicKeyCreationOptions  # noqa: N815  the standard's word


class PublicKeyRequestOptions(BaseModel):
    """What `PublicKeyCredential.parseRequestOptionsFromJSON()` takes (WebAuthn section 5.5)."""

    model_config = ConfigDict(extra="allow")

    challenge: str
    rpId: str  # noqa: N815  the standard's word
    allowCredentials: list[CredentialDescriptor]  # noqa: N815  the standard's word
    userVerification: str  # noqa: N815  the standard's word
    timeout: int


class RequestOptions(AnswerBody):
    """The argument of `navigator.credentials.get()`."""

    publicKey: PublicKeyRequestOptions  # noqa: N815  the standard's word


class Pointer(AnswerBody):
    """Where to go from the root."""

    model_config = ConfigDict(extra="allow")

    service: str
    description: str


class Health(AnswerBody):
    """One word."""

    status: Literal["live", "ready"]


class Problem(AnswerBody):
    """A problem document (RFC 9457); `instance` is the request id that the operational log knows."""

    type: str
    title: str
    status: int
    detail: str
    instance: str


class FieldError(AnswerBody):
    """What is wrong with one member of a body."""

    field: str
    message: str


class ValidationProblem(Problem):
    """A problem document that names the members that are wrong."""

    errors: list[FieldError]


def complaints(error: ValidationError, depth: int | None = None) -> tuple[tuple[str, str], ...]:
    """Field and message of everything that is wrong; `depth` is how many steps into a field its name goes."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple((_name(item["loc"][:depth]), item["msg"]) for item in found)


def _name(location: tuple[int | str, ...]) -> str:
    # An unknown member's name is the client's own text; it goes back to the one who sent it, shortened.
    return ".".join(str(part)[:64] for part in location)
