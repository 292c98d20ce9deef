"""Brings what people say about themselves into the one form that is stored and compared, or says what is wrong with it.

The annotated types are for request models. What they raise is a sentence that may be shown; it never repeats the value.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

SHORTEST_EMAIL = 3
LONGEST_EMAIL = 254
LONGEST_NAME = 100
EARLIEST_BIRTH = datetime(1900, 1, 1, tzinfo=UTC)

# Joiners shape letters of Persian and Indic scripts; every other invisible character serves to deceive.
_JOINERS = frozenset("\u200c\u200d")
# Letters by their category that show nothing: fillers of Hangul, and the empty pattern of Braille.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)


def email_address(value: str) -> str:
    """The stored form of an e-mail: ASCII, lower-cased, an international domain in its A-label form.

    Blanks around it do not count. Raises PydanticCustomError, a ValueError, also for an address that would only
    become this one by folding look-alikes.
    """
    text = value.strip(" ")
    if not SHORTEST_EMAIL <= len(unicodedata.normalize("NFC", text[: LONGEST_EMAIL * 2])) <= LONGEST_EMAIL:
        raise _unacceptable(f"has to be an e-mail address of at most {LONGEST_EMAIL} characters")
    stored = _stored_form(text)
    if stored is None:
        raise _unacceptable("has to be a valid e-mail address")
    return stored


def person_name(value: str) -> str:
    """A name or title: 1 to 100 characters after trimming and NFC, nothing invisible. Raises PydanticCustomError."""
    if any(unicodedata.category(character) in _INVISIBLE and character not in _JOINERS for character in value):
        raise _unacceptable("must not contain control or formatting characters")
    text = unicodedata.normalize("NFC", value.strip())
    if not 1 <= len(text) <= LONGEST_NAME or (_JOINERS | _BLANK).issuperset("".join(text.split())):
        raise _unacceptable(f"has to be 1 to {LONGEST_NAME} characters long")
    return text


def birth_date(value: Any, today: datetime | None = None) -> datetime:
    """Midnight UTC of a day between 1900 and yesterday. Raises PydanticCustomError.

    A date-time counts as the day that is written in it: a day of birth does not move with the time zone.
    """
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _unacceptable("has to be a date such as 1990-12-31")
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise _unacceptable("has to be a date such as 1990-12-31") from None
    day = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    midnight = (today or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    if not EARLIEST_BIRTH <= day < midnight:
        raise _unacceptable("has to be in the past and after 1900")
    return day


def email_to_look_up(typed: str) -> str:
    """The stored form of what a person typed; text that is no address stays a text to be looked up, and not found."""
    try:
        return email_address(typed)
    except PydanticCustomError:
        plain = unicodedata.normalize("NFC", typed.strip()).lower().replace("\0", "")
        return plain.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=1024)
def _stored_form(text: str) -> str | None:
    local, _, domain = text.rpartition("@")
    if not local.isascii() or any(map(_folds_to_ascii, domain)):
        return None
    try:
        found = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, strict=True, test_environment=True
        )
    except EmailNotValidError:
        return None
    if unicodedata.normalize("NFC", domain).lower() not in {found.domain, found.ascii_domain}:
        return None
    stored = f"{found.local_part}@{found.ascii_domain}".lower()
    return stored if len(stored) <= LONGEST_EMAIL else None


def _folds_to_ascii(character: str) -> bool:
    """Whether a character is not ASCII and becomes so by folding: long s, Kelvin sign, full-width letters."""
    return not character.isascii() and unicodedata.normalize("NFKC", character).lower().isascii()


def _unacceptable(message: str) -> PydanticCustomError:
    return PydanticCustomError("unacceptable", message)


Email = Annotated[
    str,
    Field(strict=True),
    AfterValidator(email_address),
    WithJsonSchema({"type": "string", "format": "email", "minLength": SHORTEST_EMAIL, "maxLength": LONGEST_EMAIL}),
]
PersonName = Annotated[
    str,
    Field(strict=True),
    AfterValidator(person_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}),
]
BirthDate = Annotated[
    datetime,
    BeforeValidator(birth_date),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
