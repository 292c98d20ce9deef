"""What people write about themselves is shown as text, and breaks nothing (R-WEB-04)."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import until
from tests.browser.demo_page import Person
from tests.browser.layout import fits
from tests.browser.watch import answered

if TYPE_CHECKING:
    from tests.browser.demo_page import DemoPage

pytestmark = pytest.mark.browser
SCRIPT = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
HEBREW = "\u05e2\u05d3\u05d4 \u05dc\u05d1\u05dc\u05d9\u05d9\u05e1"
TECHNOLOGIST = "\U0001f9d1\u200d\U0001f4bb"
ACCENTS = "\u0301\u0302"
BASMALA = "\ufdfd"
ARABIC = "\u0622\u062f\u0627 \u0644\u0648\u0641\u0644\u064a\u0633"
PEOPLE = {
    "script": Person("o'brien+{{7*7}}@example.com", SCRIPT, "</bdi><b>bold", "1990-12-10", "`${alert(3)}`"),
    "long": Person(f"{'w' * 55}@{'example' * 8}.com", "W" * 100, "M" * 100, "1990-12-10", "W" * 100),
    "right-to-left": Person("rtl@example.com", HEBREW, ARABIC, "1990-12-10", f"{HEBREW} 2000 {ARABIC}"),
    "tall": Person("tall@example.com", TECHNOLOGIST * 20, f"e{ACCENTS * 10}", "1990-12-10", BASMALA * 40),
}
SHOWN = ("first_name", "last_name", "email", "job_title")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", PEOPLE)
def test_what_people_write_is_text_and_fits(page: DemoPage, kind: str, width: int) -> None:
    person = replace(PEOPLE[kind], email=f"{width}.{PEOPLE[kind].email}")
    page.tab.look(width, 800)
    page.register(person)
    row = page.wait_for_passkeys(1)[0]
    row.rename(person.first_name)
    written = {name: unicodedata.normalize("NFC", getattr(person, name)) for name in SHOWN}
    assert {name: page.profile[name] for name in SHOWN} == written
    assert page.tab.all("main img, main script, main b") == []
    assert fits(page.tab)
    page.tab.picture(f"hostile-{kind}-{width}")
    page.open("signed-in")
    assert page.wait_for_passkeys(1)[0].name == written["first_name"]


@pytest.mark.parametrize("kind", PEOPLE)
def test_the_question_before_a_removal_shows_the_name_as_text_and_fits(page: DemoPage, kind: str) -> None:
    person = replace(PEOPLE[kind], email=f"asks.{PEOPLE[kind].email}")
    page.tab.look(360, 640)
    page.register(person)
    page.authenticator.replace()
    with page.authenticator.touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")
    row = page.wait_for_passkeys(2)[0]
    row.rename(person.first_name)
    row.remove()
    assert unicodedata.normalize("NFC", person.first_name) in page.tab.find("#confirm").text
    assert fits(page.tab)
    assert fits(page.tab, "#confirm")
    page.tab.picture(f"hostile-question-{kind}")
    page.click("#confirm-no")


@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_typed_and_refused_is_text_and_fits(page: DemoPage, width: int) -> None:
    page.tab.look(width, 800)
    page.tab.watch.expect(answered(422, "/register/begin"))
    page.fill_in(Person(f"{'w' * 300}@example.com", "W" * 300, SCRIPT * 5, "1990-12-10", "W" * 100))
    page.click("#register-submit")
    until(lambda: {"email", "first_name"} & page.problems.keys(), "a field says what is wrong")
    assert page.tab.all("main img, main script, main b") == []
    assert fits(page.tab)
