"""One stored form for what people say about themselves, and no way to reach another person's by look-alikes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from authctl.server.accounts.normalising import (
    BirthDate,
    Email,
    PersonName,
    birth_date,
    email_address,
    email_to_look_up,
    person_name,
)

TODAY = datetime(2026, 7, 1, 15, 30, tzinfo=UTC)


class Person(BaseModel):
    """As a request model uses the types."""

    email: Email
    name: PersonName
    born: BirthDate


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("jane@example.com", "jane@example.com"),
        ("Jane.Doe+Tag@EXAMPLE.Com", "jane.doe+tag@example.com"),
        ("  jane@example.com  ", "jane@example.com"),
        ("jane@bücher.example", "jane@xn--bcher-kva.example"),
        ("jane@bu\u0308cher.example", "jane@xn--bcher-kva.example"),
        ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example"),
        ("jane@XN--BCHER-KVA.EXAMPLE", "jane@xn--bcher-kva.example"),
        ("o'hara@host.test", "o'hara@host.test"),
    ],
)
def test_email_has_one_stored_form_however_it_is_typed(typed: str, stored: str) -> None:
    """R-IN-05."""
    assert email_address(typed) == stored
    assert email_address(stored) == stored
    assert email_to_look_up(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "a@",
        "@example.com",
        "jane",
        "jane@example",
        "jane@@example.com",
        "jane@a@example.com",
        "jane@exa mple.com",
        "ja ne@example.com",
        "jane\t@example.com",
        "jane@example.com\n",
        "\u00a0jane@example.com",
        "jane\x00@example.com",
        "jane@example.com\x00",
        "jane@exam\u200bple.com",
        "jane@exam\u202eple.com",
        "jane@.example.com",
        "jane@example..com",
        ".jane@example.com",
        "jane@-example.com",
        "jane@exa_mple.com",
        "jane@[192.0.2.1]",
        '"jane doe"@example.com',
        "Jane <jane@example.com>",
        "jane@localhost",
        f"{'a' * 65}@example.com",
        f"jane@{'a.' * 125}example.com",
        "\ud800@example.com",
        "jane@\ud800.com",
        "jäne@example.com",
        "jane@xn--a.com",
    ],
)
def test_email_is_refused_when_it_is_no_plain_address(typed: str) -> None:
    """R-IN-05."""
    with pytest.raises(ValueError, match="has to be a"):
        email_address(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "jane@e\u212aample.com",  # Kelvin sign, which NFC alone turns into K
        "\u212aim@example.com",
        "je\u017fs@example.com",  # long s
        "jane@\u017fi.com",
        "j\u0131m@example.com",  # dotless i
        "\uff4aane@example.com",
        "jane@\uff45xample.com",
        "jane@\uff45xämple.com",
        "jane@example\u3002com",
        "jane@example\uff0ecom",
        "jane\uff20example.com",
        "jane@e\u00adxample.com",
    ],
)
def test_email_is_refused_when_look_alikes_would_fold_to_another_address(typed: str) -> None:
    """R-IN-05, V-30, V-41."""
    with pytest.raises(ValueError, match="valid e-mail address"):
        email_address(typed)


@pytest.mark.parametrize("local", ["", "a", "\u0131", "\u017f", "i\u0307", "\uff49"])
def test_looking_up_a_look_alike_never_yields_another_persons_address(local: str) -> None:
    """V-41: what is no address is looked up as it is, and not found."""
    assert email_to_look_up(f"{local}m\u0131ke@example.com") != "mike@example.com"


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_email_is_ascii_and_stable_whenever_it_is_accepted(local: str) -> None:
    """R-IN-05."""
    try:
        stored = email_address(f"{local}@example.com")
    except ValueError:
        return
    assert stored.isascii()
    assert stored == email_address(stored)
    assert stored == f"{local.strip(' ')}@example.com".lower()


@given(st.text(st.characters(exclude_characters="@"), min_size=1, max_size=8))
def test_domain_is_only_reached_by_its_own_name(label: str) -> None:
    """R-IN-05: a domain that is not ASCII never becomes one that is."""
    try:
        stored = email_address(f"jane@{label}.example")
    except ValueError:
        return
    assert label.isascii() or stored.startswith("jane@xn--") or ".xn--" in stored


def test_email_is_as_long_as_254_characters_and_no_longer() -> None:
    longest = f"{'l' * 64}@{'d' * 63}.{'e' * 63}.{'f' * 57}.com"
    assert len(longest) == 254
    assert email_address(longest) == longest
    with pytest.raises(ValueError, match="at most 254"):
        email_address("x" + longest)


def test_email_is_refused_when_its_ascii_form_is_too_long() -> None:
    domain = ".".join(["ü" * 40] * 6)
    assert len(f"jane@{domain}") < 254
    with pytest.raises(ValueError, match="e-mail address"):
        email_address(f"jane@{domain}")


@pytest.mark.parametrize(
    ("typed", "looked_up"),
    [
        ("user@x", "user@x"),
        ("  NOBODY ", "nobody"),
        ("a\udcffb", "a\\udcffb"),
        ("a\0b", "ab"),
        ("", ""),
        ("'; DROP TABLE users; --", "'; drop table users; --"),
    ],
)
def test_look_up_takes_any_text_when_it_is_no_address(typed: str, looked_up: str) -> None:
    assert email_to_look_up(typed) == looked_up


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Jane", "Jane"),
        ("  Jane  ", "Jane"),
        ("Jo\u0308rg", "Jörg"),
        ("李小龍", "李小龍"),
        ("O'Brien-Smith, Jr.", "O'Brien-Smith, Jr."),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("x" * 100, "x" * 100),
        (f" {'x' * 100} ", "x" * 100),
        ("o\u0308" * 100, "ö" * 100),
        ("<script>=1+1%s${x}", "<script>=1+1%s${x}"),
        ("🦊", "🦊"),
    ],
)
def test_name_is_trimmed_and_composed_when_it_is_stored(typed: str, stored: str) -> None:
    """R-IN-06."""
    assert person_name(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "\u200d", "\u3164", "\u2800 \u115f",
        "x" * 101, "a\x00b", "a\nb", "Jane\n", "\tJane", "a\x1b[31mb", "a\x7fb", "a\x9bb",
        "a\u202eb", "a\u2066b", "a\u200eb", "a\u200bb", "a\ufeffb", "a\u2028b", "a\ud800b", "a\U000e0041b",
    ],
)  # fmt: skip
def test_name_is_refused_when_it_is_empty_long_or_deceptive(typed: str) -> None:
    """R-IN-06."""
    with pytest.raises(ValueError, match="characters"):
        person_name(typed)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("1990-12-31", (1990, 12, 31)),
        ("1990-12-31T00:00:00Z", (1990, 12, 31)),
        ("1990-12-31T23:59:59.123456789-11:00", (1990, 12, 31)),
        ("1990-12-31t01:00z", (1990, 12, 31)),
        ("1990-12-31 01:00:00", (1990, 12, 31)),
        ("1900-01-01", (1900, 1, 1)),
        ("2000-02-29", (2000, 2, 29)),
        ("2026-06-30", (2026, 6, 30)),
    ],
)
def test_birth_date_is_midnight_utc_of_the_day_that_is_written(typed: str, day: tuple[int, int, int]) -> None:
    assert birth_date(typed, TODAY) == datetime(*day, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed",
    [
        "", "1990", "19901231", "1990-W01-1", "1990-13-01", "2001-02-29", "1899-12-31", "2026-07-01", "2030-01-01",
        "0000-01-01", "9999-12-31", "1990-12-31T25:00:00Z", "1990-12-31T00:00:00+25:00", "1990-12-31\n", " 1990-12-31",
        "\uff11\uff19\uff19\uff10-12-31", "31.12.1990", 660000000, 1990.5, True, None, ["1990-12-31"],
    ],
)  # fmt: skip
def test_birth_date_is_refused_when_it_is_no_day_in_a_lifetime(typed: Any) -> None:
    with pytest.raises(ValueError, match="has to be"):
        birth_date(typed, TODAY)


def test_model_takes_the_normalised_values_when_all_are_right() -> None:
    person = Person.model_validate({"email": "Jane@Example.com", "name": " Jane ", "born": "1990-12-31"})
    assert (person.email, person.name) == ("jane@example.com", "Jane")
    assert person.born == datetime(1990, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [{"email": 1}, {"email": None}, {"name": ["x"]}, {"born": 1}, {"name": b"x"}])
def test_model_refuses_a_value_when_its_type_differs(wrong: dict[str, Any]) -> None:
    """R-IN-07."""
    with pytest.raises(ValidationError) as caught:
        Person.model_validate({"email": "jane@example.com", "name": "Jane", "born": "1990-12-31"} | wrong)
    assert [error["loc"] for error in caught.value.errors()] == [(next(iter(wrong)),)]


def test_model_says_what_is_wrong_without_repeating_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Person.model_validate({"email": "evil<x>", "name": "a\x1bb", "born": "never"})
    messages = [error["msg"] for error in caught.value.errors()]
    assert messages == [
        "has to be a valid e-mail address",
        "must not contain control or formatting characters",
        "has to be a date such as 1990-12-31",
    ]


def test_model_describes_the_values_when_a_schema_is_asked_for() -> None:
    properties = Person.model_json_schema()["properties"]
    assert properties["email"]["format"] == "email"
    assert properties["name"]["maxLength"] == 100
    assert {"type": "string", "format": "date"} in properties["born"]["anyOf"]
