"""Untrusted text becomes harmless before it is stored."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authctl.server.audit.neutralising import (
    MAX_DETAILS,
    MAX_USER_AGENT,
    clean_details,
    clean_identifier,
    clean_name,
    clean_user_agent,
    neutralise,
    redact,
    shorten,
)

TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
CHALLENGE = "T3JkaW5hcnkgY2hhbGxlbmdlIG9mIDMyIGJ5dGVzIS0"


def original(text: str) -> str:
    """Undoes neutralise: JSON's escapes and nothing else."""
    plain = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("a\r\nb", r"a\u000d\u000ab"),
        ("\t", r"\u0009"),
        ("\x1b[2J", r"\u001b[2J"),
        ("\x00", r"\u0000"),
        ("\x7f\x9b31m", r"\u007f\u009b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u200b\u200d\ufeff\u2066", r"\u200b\u200d\ufeff\u2066"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\u3164", r"\u3164"),
        ("a\u034fb", r"a\u034fb"),
        (r"\u001b", r"\u005cu001b"),
        (r"C:\users", r"C:\users"),
        ("Zoë 山田 ❤", "Zoë 山田 ❤"),
    ],
)
def test_text_shows_escapes_when_characters_are_not_for_printing(raw: str, stored: str) -> None:
    """R-LG-04."""
    assert neutralise(raw) == stored


@given(st.text())
def test_neutralised_text_is_reversible_and_inert_whatever_came_in(raw: str) -> None:
    """R-LG-04."""
    stored = neutralise(raw)
    assert original(stored) == raw
    assert not [c for c in stored if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert json.loads(json.dumps(stored)) == stored


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        TOKEN.rsplit(".", 1)[0] + ".",
        f"Bearer {TOKEN}",
        "Bearer abcdefghijklmnop",
        "BASIC dXNlcjpwYXNzd29yZA==",
        "https://admin:hunter2hunter2@example.com/",
        "password=correct-horse",
        "JWT_SECRET: 0123456789abcdef",
        CHALLENGE,
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA",
    ],
)
def test_secrets_are_gone_wherever_they_stand(secret: str) -> None:
    """R-LG-05."""
    core = max(re.findall(r"[\w-]{8,}", secret.replace("Bearer", "").replace("PRIVATE", "")), key=len)
    for clean in (redact, clean_details, clean_user_agent, clean_identifier):
        stored = clean(f"before {secret} after")
        assert stored is not None
        assert core not in stored
        assert "[redacted]" in stored
        assert stored.startswith("before ")


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "User jane@example.com (role: user) attempted to access user 3f0e9b9e-5a2c-4f0e-8d8e-2f1d7a8f6d11's data",
        "a" * 43,
        "Aa1" + "b" * 40 + "@example.com logged in",
        "password reset asked for",
        "from IP: 2001:db8::1",
    ],
)
def test_harmless_text_stays_when_it_only_resembles_a_secret(text: str) -> None:
    assert redact(text) == text


def test_a_user_agent_is_cut_when_it_is_longer_than_512() -> None:
    """R-LG-03."""
    assert clean_user_agent("x" * 512) == "x" * 512
    cut = clean_user_agent("x" * 513)
    assert cut == "x" * 511 + "…"
    assert clean_user_agent(None) is None


def test_a_cut_never_leaves_half_an_escape() -> None:
    for length in range(490, 520):
        stored = clean_user_agent("y" * length + "\x1b" * 10 + "\U000e0041" * 5)
        assert stored is not None
        assert len(stored) <= MAX_USER_AGENT
        assert re.sub(r"\\u[0-9a-f]{4}", "", stored).count("\\") == 0
        assert not re.search(r"\\udb40(?!\\udc41)", stored)


@given(st.text(min_size=900, max_size=9000))
def test_details_stay_within_4_kib_whatever_came_in(raw: str) -> None:
    """R-LG-03."""
    assert len(clean_details(raw).encode()) <= MAX_DETAILS


def test_details_are_whole_when_they_fit() -> None:
    assert clean_details("é" * 2048) == "é" * 2048
    assert clean_details("é" * 2049) == "é" * 2046 + "…"


def test_names_are_bounded_and_neutral() -> None:
    assert clean_name(None) is None
    assert clean_identifier(None) is None
    assert clean_name("j" * 300, 254) == "j" * 253 + "…"
    assert clean_name("a\nb") == r"a\u000ab"
    assert shorten("abc", 3) == "abc"
    long_identifier = clean_identifier("x" * 10_000)
    assert long_identifier is not None
    assert len(long_identifier) == 128
