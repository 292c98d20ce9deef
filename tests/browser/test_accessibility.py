"""No serious fault that axe-core finds, in any state of the demo page, light or dark, on a desk or a phone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.accessibility import is_accessible
from tests.browser.chromium import SCREENSHOTS, until
from tests.browser.demo_page import DemoPage, Person
from tests.browser.layout import fits
from tests.browser.watch import answered

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
LOOKS = [("dark", 1440), ("light", 360), ("light", 768), ("light", 1440), ("dark", 360)]
JUDGED = LOOKS[-2:]
"""Colours differ between light and dark and places between desk and phone: these two have all four."""


def judge(page: DemoPage, state: str) -> None:
    """Looks at one state in every look."""
    for scheme, width in LOOKS if SCREENSHOTS in os.environ else LOOKS[-3:]:
        page.tab.look(width, 900, scheme)
        page.tab.picture(f"{state}-{scheme}-{width}")
        assert fits(page.tab)
        if (scheme, width) in JUDGED:
            assert is_accessible(page.tab)
    page.tab.look()


def test_the_forms_are_accessible_when_nobody_is_signed_in(page: DemoPage) -> None:
    judge(page, "log-in")
    page.click("#show-register")
    judge(page, "register")


def test_the_forms_are_accessible_when_something_is_wrong(page: DemoPage) -> None:
    page.tab.watch.expect(answered(422, "/register/begin"))
    page.click("#login-submit")
    judge(page, "log-in-with-faults")
    page.click("#show-register")
    page.click("#register-submit")
    until(lambda: len(page.problems) == 5, "every field says what is wrong")
    judge(page, "register-with-faults")
    page.fill_in(Person(email="ada@invalid"))
    page.click("#register-submit")
    page.wait_for_message("invalid-request")
    judge(page, "register-refused")


def test_the_page_is_accessible_when_a_prompt_is_open(page: DemoPage) -> None:
    page.fill_in(ADA.called("prompt.open"))
    page.click("#register-submit")
    judge(page, "prompt-open")


def test_the_profile_is_accessible_when_somebody_is_signed_in(page: DemoPage) -> None:
    page.register(ADA.called("signed.in"))
    row = page.wait_for_passkeys(1)[0]
    page.authenticator.replace()
    with page.authenticator.touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")
    judge(page, "signed-in")
    page.click('#passkeys button[data-action="rename"]')
    judge(page, "renaming")
    page.tab.browser.switch_to.active_element.send_keys("\ue00c")
    row.remove()
    judge(page, "question")
    page.click("#confirm-no")
    page.log_out()
    judge(page, "logged-out")


def test_what_an_old_browser_shows_is_accessible(tab: Tab, shared_demo: Demo) -> None:
    tab.before_scripts("delete PublicKeyCredential.parseCreationOptionsFromJSON;")
    judge(DemoPage(tab, shared_demo.url).open("unsupported"), "unsupported")
