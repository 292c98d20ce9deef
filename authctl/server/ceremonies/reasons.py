"""Why a ceremony was refused, in words for machines: the vocabulary of the audit column `reason`."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One cause each. The audit trail learns it, the caller never does."""

    # The message cannot be read.
    MALFORMED_RESPONSE = "malformed_response"
    CLIENT_DATA_MALFORMED = "client_data_malformed"
    AUTHENTICATOR_DATA_MALFORMED = "authenticator_data_malformed"
    ATTESTATION_OBJECT_MALFORMED = "attestation_object_malformed"

    # The challenge is not one that this answer may use.
    CHALLENGE_UNKNOWN = "challenge_unknown"
    CHALLENGE_EXPIRED = "challenge_expired"
    CHALLENGE_MISMATCH = "challenge_mismatch"
    PURPOSE_MISMATCH = "purpose_mismatch"
    EMAIL_MISMATCH = "email_mismatch"
    USER_MISMATCH = "user_mismatch"
    SETTINGS_CHANGED = "settings_changed"

    # The client data names another ceremony or place.
    CEREMONY_TYPE_MISMATCH = "ceremony_type_mismatch"
    ORIGIN_MISMATCH = "origin_mismatch"
    CROSS_ORIGIN = "cross_origin"
    TOP_ORIGIN_NOT_ALLOWED = "top_origin_not_allowed"

    # The authenticator data does not say what it has to.
    RP_ID_MISMATCH = "rp_id_mismatch"
    USER_PRESENCE_MISSING = "user_presence_missing"
    USER_VERIFICATION_MISSING = "user_verification_missing"
    BACKUP_STATE_INVALID = "backup_state_invalid"
    BACKUP_ELIGIBILITY_CHANGED = "backup_eligibility_changed"
    ATTESTED_DATA_IN_ASSERTION = "attested_data_in_assertion"

    # The new credential is not acceptable.
    CREDENTIAL_ID_MISMATCH = "credential_id_mismatch"
    CREDENTIAL_ID_LENGTH = "credential_id_length"
    ALGORITHM_NOT_OFFERED = "algorithm_not_offered"
    PUBLIC_KEY_INVALID = "public_key_invalid"
    ATTESTATION_FORMAT_REFUSED = "attestation_format_refused"
    ATTESTATION_INVALID = "attestation_invalid"
    ACCOUNT_EXISTS = "account_exists"
    CREDENTIAL_EXISTS = "credential_exists"

    # The credential does not fit the login.
    CREDENTIAL_UNKNOWN = "credential_unknown"
    CREDENTIAL_REMOVED = "credential_removed"
    CREDENTIAL_NOT_ALLOWED = "credential_not_allowed"
    CREDENTIAL_USER_MISMATCH = "credential_user_mismatch"
    USER_HANDLE_MISSING = "user_handle_missing"
    USER_HANDLE_MISMATCH = "user_handle_mismatch"
    USER_DISABLED = "user_disabled"
    CLONE_SUSPECTED = "clone_suspected"

    # The proof does not hold.
    SIGNATURE_INVALID = "signature_invalid"
    LIBRARY_REFUSED = "library_refused"
    LIBRARY_ERROR = "library_error"

    # What a begin may carry.
    UNKNOWN_USER = "unknown_user"
    TOO_MANY_OUTSTANDING = "too_many_outstanding"
    TOO_MANY_CREDENTIALS = "too_many_credentials"
