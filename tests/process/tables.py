"""What a database file says, read beside a running server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from authctl.server.storage.sqlite import SqliteDriver

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_EVENT_OF = {"/register/complete": "registration_complete", "/login/complete": "login_complete"}


class Tables:
    """A read-only connection with the questions that tests ask."""

    def __init__(self, path: Path) -> None:
        self._connection = SqliteDriver(path).connect(readonly=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def outcomes(self, request_id: str) -> list[int]:
        """The outcomes that the trail has for a request."""
        rows = self.rows("SELECT success FROM audit_logs WHERE request_id = ?", request_id)
        return [success for (success,) in rows]

    def successes(self, email: str, path: str) -> int:
        """How many completions of an e-mail succeeded."""
        sql = "SELECT 1 FROM audit_logs WHERE user_email = ? AND event_type = ? AND success = 1"
        return len(self.rows(sql, email, _EVENT_OF[path]))

    def contradictions(self) -> list[str]:
        """I3, I5, I6: state without event, event without state, a damaged file, a counter that is behind."""
        questions = {
            "the file is damaged": "SELECT * FROM pragma_integrity_check WHERE integrity_check != 'ok'",
            "accounts and their events differ": _difference(
                "SELECT id FROM users",
                "SELECT user_id FROM audit_logs WHERE event_type = 'registration_complete' AND success = 1",
            ),
            "accounts and credentials differ": _difference(
                "SELECT id FROM users", "SELECT user_id FROM webauthn_credentials"
            ),
            "sessions and their events differ": _difference(
                "SELECT user_id || count(*) FROM login_sessions GROUP BY user_id",
                "SELECT user_id || count(*) FROM audit_logs WHERE event_type = 'login_complete' AND success = 1"
                " GROUP BY user_id",
            ),
            "a counter is behind its logins": (
                "SELECT c.id FROM webauthn_credentials c WHERE c.sign_count <"
                " (SELECT count(*) FROM login_sessions s WHERE s.credential_id = c.id)"
            ),
        }
        return [f"{what}: {found[:3]}" for what, sql in questions.items() if (found := self.rows(sql))]

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of any question."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        return found


def _difference(one: str, other: str) -> str:
    return f"SELECT * FROM ({one} EXCEPT {other}) UNION ALL SELECT * FROM ({other} EXCEPT {one})"
