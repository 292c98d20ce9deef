"""The way in: body and limits, in the order that costs least, and an event for everyone turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from authctl.errors import BodyTooLarge, InvalidRequest, MalformedBody, UnsupportedMediaType
from authctl.server.audit.events import EventType
from authctl.server.http.limits import TooOften, begin_policy, completion_policy, question_policy
from authctl.server.http.models import RequestBody
from authctl.server.http.strict_json import parse_object

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller
    from authctl.server.http.limits import Limiter, Policy
    from authctl.server.http.refusals import Refusals
    from authctl.server.http.request import Request
    from authctl.settings import Settings

Body = TypeVar("Body", bound=RequestBody)

UNREADABLE: Final = (MalformedBody, InvalidRequest, BodyTooLarge, UnsupportedMediaType)


class Gate:
    """Admits a request, or raises what is wrong with it after leaving an event of its own type."""

    def __init__(self, settings: Settings, limiter: Limiter, refusals: Refusals) -> None:
        self._limiter = limiter
        self._refusals = refusals
        begin, complete = begin_policy(settings), completion_policy(settings)
        self._policies: dict[EventType, Policy] = {
            EventType.REGISTRATION_BEGIN: begin,
            EventType.LOGIN_BEGIN: begin,
            EventType.REGISTRATION_COMPLETE: complete,
            EventType.LOGIN_COMPLETE: complete,
            EventType.CREDENTIAL_BEGIN: begin,
            EventType.CREDENTIAL_ADDED: complete,
            EventType.CREDENTIAL_RENAMED: complete,
            EventType.AUDIT_QUERY: question_policy(settings),
        }

    async def admit(self, request: Request, ceremony: EventType, shape: type[Body], user_id: str | None = None) -> Body:
        """The body of a request that may go on. Raises RateLimited, or what is wrong with the body.

        A body is read before its request is counted, because the e-mail inside is one of the things that are counted;
        a wrong body counts for its source alike. `user_id` is whose token came with it, for the trail.
        """
        caller = request.caller
        policy = self._policies[ceremony]
        email: str | None = None
        try:
            self._limiter.refuse_early(policy, caller.network)
            try:
                body = shape.read(parse_object(await request.json_body()))
            except UNREADABLE:
                await self._limiter.admit(policy, caller.network, None)
                raise
            email = body.counted_email
            await self._limiter.admit(policy, caller.network, email)
        except TooOften as refusal:
            await self._refusals.limited(ceremony, caller, email, refusal.key, user_id)
            raise
        except UNREADABLE:
            await self._refusals.invalid(ceremony, caller, user_id)
            raise
        return body

    async def admit_question(self, user_id: str, email: str, caller: Caller) -> None:
        """Lets an admin go on who has not asked the trail too often. Raises RateLimited."""
        try:
            await self._limiter.admit(self._policies[EventType.AUDIT_QUERY], user_id, None)
        except TooOften as refusal:
            await self._refusals.limited(EventType.AUDIT_QUERY, caller, email, refusal.key)
            raise
