"""Bodies for the API description, of one story: Jane registers, logs in, adds a passkey, an admin asks the trail."""

from __future__ import annotations

from typing import Any, Final

JANE_ID: Final = "ea048ddb-fed3-4495-a910-5db6cd7eba62"
PASSKEY_ID: Final = "01a20d7b-6c1e-7d10-9a55-3f0c2b8e4d71"
_HANDLE: Final = "XQtOoc6kMYrNHQTX3U5afbCl7EfbaqSynhY7fJNWK9F7cVB-hwdpCtLXLncw--4hALExWQivVczE3gpvU6WYcg"
_CREDENTIAL_ID: Final = "yJYP5oXeeXp5INwWnOq7gSa7KSApAO3I3N-2VAq6eYw"
_AUTHENTICATOR_DATA: Final = (
    "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAAAGF1dGhjdGwtdGVzdC1rZXkAIMiWD-aF3nl6eSDcFpzqu4EmuykgKQDtyNzftlQK"
    "unmMpAEBAycgBiFYIJeEWRGl9oRvRjg6owSD1ollpyWWMf7PORSh4qJZPMbR"
)
SUMMARY: Final[dict[str, object]] = {
    "id": JANE_ID,
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "role": "user",
}
USER: Final[dict[str, object]] = {
    **SUMMARY,
    "date_of_birth": "1990-12-31T00:00:00Z",
    "job_title": "Engineer",
    "created_at": "2026-11-24T12:15:18.799696Z",
}
CREATION: Final[dict[str, Any]] = {
    "challenge": "aE_FW_tnCrj5RnDpQUndReDbqxhiGTvS-3ZzAdEedyA",
    "rp": {"id": "localhost", "name": "Auth Example"},
    "user": {"id": _HANDLE, "name": "jane@example.com", "displayName": "Jane Doe"},
    "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-8, -7, -257)],
    "authenticatorSelection": {
        "residentKey": "preferred",
        "userVerification": "required",
        "authenticatorAttachment": "platform",
    },
    "attestation": "none",
    "timeout": 60000,
    "excludeCredentials": [],
}
REQUEST: Final[dict[str, Any]] = {
    "challenge": "2jirfoS7zVdNkEy-MY_HVeQQdbfyy6eiH0giYYirAp8",
    "rpId": "localhost",
    "allowCredentials": [{"type": "public-key", "id": _CREDENTIAL_ID, "transports": ["internal"]}],
    "userVerification": "required",
    "timeout": 60000,
}
NEW_CREDENTIAL: Final[dict[str, Any]] = {
    "id": _CREDENTIAL_ID,
    "rawId": _CREDENTIAL_ID,
    "type": "public-key",
    "response": {
        "clientDataJSON": (
            "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiYUVfRldfdG5Dcmo1Um5EcFFVbmRSZURicXhoaUdUdlMtM1p6QWRF"
            "ZWR5QSIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODAwMCIsImNyb3NzT3JpZ2luIjpmYWxzZX0"
        ),
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViB" + _AUTHENTICATOR_DATA,
        "transports": ["internal"],
    },
    "authenticatorAttachment": "platform",
    "clientExtensionResults": {},
}
ASSERTION: Final[dict[str, Any]] = {
    "id": _CREDENTIAL_ID,
    "rawId": _CREDENTIAL_ID,
    "type": "public-key",
    "response": {
        "clientDataJSON": (
            "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiMmppcmZvUzd6VmROa0V5LU1ZX0hWZVFRZGJmeXk2ZWlIMGdpWVlpckFw"
            "OCIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODAwMCIsImNyb3NzT3JpZ2luIjpmYWxzZX0"
        ),
        "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
        "signature": "-xsRSnyCmZTQCagOw72mos6ba0I2SbQp492-4m6dEy_MxZhkOjC2dh0YSU8F6C7ZVbWxDUKdtBCvmSi21QQxAQ",
        "userHandle": _HANDLE,
    },
    "authenticatorAttachment": "platform",
    "clientExtensionResults": {},
}
PERSON: Final = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "date_of_birth": "1990-12-31",
    "job_title": "Engineer",
}
BY_EMAIL: Final = {"email": "jane@example.com"}
JWT: Final = (
    "eyJhbGciOiJIUzI1NiIsImtpZCI6Ik4xZWNobGw3Ui15ZVBmRW5mSDBHZGciLCJ0eXAiOiJhdCtqd3QifQ"
    ".eyJzdWIiOiJlYTA0OGRkYi1mZWQzLTQ0OTUtYTkxMC01ZGI2Y2Q3ZWJhNjIiLCJyb2xlIjoidXNlciJ9"
    ".XASkrW1ihxg_WIiRqUtUSme_s76Nlfxex5bmuBHHYS4"
)
PASSKEY: Final[dict[str, Any]] = {
    "id": PASSKEY_ID,
    "credential_id": _CREDENTIAL_ID,
    "name": "Work laptop",
    "created_at": "2026-11-24T12:15:18.799696Z",
    "last_used_at": "2026-11-24T12:15:18.822153Z",
    "aaguid": "08987058-cadc-4b81-b6e1-30de50dcbe96",
    "authenticator": "Windows Hello",
    "algorithm": "EdDSA",
    "transports": ["internal"],
    "backup_eligible": False,
    "backed_up": False,
}
EVENT: Final[dict[str, object]] = {
    "id": "01a20d7b-5f27-76b0-86a8-bc6f9a0471e8",
    "created_at": "2026-11-24T12:15:18.822153Z",
    "event_type": "login_complete",
    "success": True,
    "reason": None,
    "user_email": "jane@example.com",
    "user_id": JANE_ID,
    "actor": JANE_ID,
    "target_user_id": None,
    "ip_address": "192.0.2.1",
    "peer_address": "192.0.2.1",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "request_id": "a2791ff82fc6d8122b216c589bf7c40f",
    "details": "User Jane Doe logged in from IP: 192.0.2.1",
    "writer_id": "b0df6bf3-7cea-4473-a30d-c6ea29e11987",
    "seq": 7,
}
GROUP: Final[dict[str, object]] = {
    "values": {"event_type": "login_complete", "success": False},
    "total": 31,
    "failures": 31,
    "first": "2026-11-24T11:02:40.100000Z",
    "last": "2026-11-24T12:09:12.500000Z",
}
POINTER: Final = {
    "service": "authctl: passwordless login with passkeys",
    "description": "/openapi.json",
    "health": ["/healthz", "/readyz"],
    "try": "authctl simulate register --url <the address of this page>",
}
CURSOR: Final = (
    "lNQcuVMQvGu7C48OMTc5NTUyMjUxODgyNzIxOC4xNzk1NTIyNTE4ODIyMTUzLjAxYTIwZDdiLTVmMjctNzZiMC04NmE4LWJjNmY5YTA0NzFlOA"
)
