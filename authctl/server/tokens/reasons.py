"""Why a token was rejected, in words for machines: what the trail learns and the caller never does."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One cause each."""

    # The text is not one token of ours.
    TOO_LONG = "token_too_long"
    MALFORMED = "token_malformed"
    ALGORITHM = "token_algorithm"
    TYPE = "token_type"
    KEY = "token_key"
    HEADER = "token_header"
    SIGNATURE = "token_signature"

    # A claim is missing or of another shape.
    CLAIM_SUBJECT = "token_claim_sub"
    CLAIM_IDENTIFIER = "token_claim_jti"
    CLAIM_SESSION = "token_claim_sid"
    CLAIM_ROLE = "token_claim_role"
    CLAIM_ISSUER = "token_claim_iss"
    CLAIM_AUDIENCE = "token_claim_aud"
    CLAIM_ISSUED_AT = "token_claim_iat"
    CLAIM_NOT_BEFORE = "token_claim_nbf"
    CLAIM_EXPIRES_AT = "token_claim_exp"
    CLAIM_AUTHENTICATED_AT = "token_claim_auth_time"
    CLAIM_METHODS = "token_claim_amr"

    # The claims are not for here and now.
    ISSUER = "token_issuer"
    AUDIENCE = "token_audience"
    EXPIRED = "token_expired"
    NOT_YET_VALID = "token_not_yet_valid"
    LIFETIME = "token_lifetime"

    # The session that the token names does not carry it any more.
    SESSION_UNKNOWN = "session_unknown"
    SESSION_MISMATCH = "session_mismatch"
    SESSION_ENDED = "session_ended"
    SESSION_EXPIRED = "session_expired"
    USER_DISABLED = "user_disabled"
