"""What the reasons of refusals say about whoever was refused.

The features own these words; a test holds the lists against theirs.
"""

from __future__ import annotations

from typing import Final

OWN_FAULT: Final = ("library_error", "settings_changed")
"""The service's doing, not the caller's."""

HONEST: Final = frozenset(
    {
        "access_denied",
        "account_exists",
        "challenge_expired",
        "clone_suspected",
        "counted",
        "credential_exists",
        "last_admin",
        "last_credential",
        "login_too_old",
        "not_authenticated",
        "rate_limited",
        "session_ended",
        "session_expired",
        "session_unknown",
        "token_audience",
        "token_expired",
        "token_issuer",
        "token_key",
        "token_not_yet_valid",
        "took_too_long",
        "too_many_credentials",
        "too_many_outstanding",
        "unknown_credential",
        "unknown_user",
        "user_disabled",
        "user_verification_missing",
    }
)
"""What happens to people with a browser (too slow, locked out, a token from before the keys changed), or has a rule."""

PROBING: Final = (
    # An old passkey or a page sent twice does this now and then; a series of them is somebody trying.
    "challenge_unknown",
    "credential_unknown",
    "credential_not_allowed",
    "credential_removed",
    # A browser with an authenticator does not do these at all.
    "malformed_response",
    "client_data_malformed",
    "authenticator_data_malformed",
    "attestation_object_malformed",
    "challenge_mismatch",
    "purpose_mismatch",
    "email_mismatch",
    "user_mismatch",
    "ceremony_type_mismatch",
    "origin_mismatch",
    "cross_origin",
    "top_origin_not_allowed",
    "rp_id_mismatch",
    "user_presence_missing",
    "backup_state_invalid",
    "backup_eligibility_changed",
    "attested_data_in_assertion",
    "credential_id_mismatch",
    "credential_id_length",
    "algorithm_not_offered",
    "public_key_invalid",
    "attestation_format_refused",
    "attestation_invalid",
    "credential_user_mismatch",
    "user_handle_missing",
    "user_handle_mismatch",
    "signature_invalid",
    "library_refused",
    "invalid_request",
    # Tokens that the service never issued.
    "token_too_long",
    "token_malformed",
    "token_algorithm",
    "token_type",
    "token_header",
    "token_signature",
    "token_claim_sub",
    "token_claim_jti",
    "token_claim_sid",
    "token_claim_role",
    "token_claim_iss",
    "token_claim_aud",
    "token_claim_iat",
    "token_claim_nbf",
    "token_claim_exp",
    "token_claim_auth_time",
    "token_claim_amr",
    "token_lifetime",
    "session_mismatch",
)
"""What comes of trying out answers, credentials and tokens that were not made for the service's question."""
