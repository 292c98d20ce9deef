"""How users and tokens look in JSON: the promised members and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authctl.server.ceremonies.login import LoginResult
    from authctl.server.storage.tables import User


def user_document(user: User) -> dict[str, Any]:
    """A user as `GET /users/{id}` shows them."""
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "date_of_birth": user.date_of_birth,
        "job_title": user.job_title,
        "role": user.role,
        "created_at": user.created_at,
    }


def token_document(result: LoginResult) -> dict[str, Any]:
    """The answer to a login."""
    user = result.user
    return {
        "access_token": result.access_token,
        "token_type": "bearer",
        "expires_in": result.expires_in,
        "user": {
            "id": user.id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "role": user.role,
        },
    }
