"""Who is meant by an e-mail when it is about everything that is held: somebody with an account, or without one now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.errors import NotFound
from authctl.server.accounts.access import is_identifier
from authctl.server.accounts.normalising import email_to_look_up
from authctl.server.audit.erasure import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody about whom something is held; `user` is the account, if there is one now."""

    subject: Subject
    user: User | None


def person_with(tx: Transaction, typed: str, *, former_ids: Iterable[str] = ()) -> Person:
    """The person with an e-mail as somebody typed it, or with the id of an account of theirs, be it gone or not.

    former_ids  further ids of the e-mail, from events that are not in the table
    Raises NotFound when neither an account nor an event has it.
    """
    looked_up = email_to_look_up(typed)
    former = list(former_ids)
    if is_identifier(looked_up):
        user = tx.users.by_id(looked_up)
        email = user.email if user is not None else tx.erasures.email_of_id(looked_up)
        former.insert(0, looked_up)
        is_known = user is not None or tx.erasures.is_known(looked_up)
    else:
        user, email = tx.users.by_email(looked_up), looked_up
        is_known = user is not None or bool(former) or bool(tx.erasures.of_email(email, most=1))
    if not is_known:
        raise NotFound(f"Nothing is held about {typed}", hint="authctl users list shows who has an account")
    ids = [user.id] if user is not None else []
    ids += [*former, *(tx.erasures.ids_of_email(email) if email else ())]
    return Person(Subject(email, tuple(dict.fromkeys(ids))), user)
