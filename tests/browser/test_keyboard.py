"""The demo page without a mouse: everything is reached, seen and left by the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import until
from tests.browser.demo_page import Person

if TYPE_CHECKING:
    from tests.browser.demo_page import DemoPage

pytestmark = pytest.mark.browser
TAB, ENTER, ESCAPE, SHIFT = "\ue004", "\ue007", "\ue00c", "\ue008"
ADA = Person()


class Keyboard:
    """Hands on the keys."""

    def __init__(self, page: DemoPage) -> None:
        self._page = page

    @property
    def at(self) -> str:
        """What has the focus: its action, its id, else its kind; `name` in the form of renaming."""
        where: str = self._page.tab.run(
            "const e = document.activeElement;"
            "return e.closest('.rename') && e.name || e.dataset.action || e.id || e.tagName.toLowerCase();"
        )
        return where

    def press(self, keys: str) -> None:
        """Presses keys where the focus is."""
        self._page.tab.browser.switch_to.active_element.send_keys(keys)

    def go_to(self, name: str, most: int = 30) -> None:
        """Tabs until something has the focus; whatever is passed on the way can be seen to have it."""
        for _ in range(most):
            if self.at == name:
                return
            self.press(TAB)
            assert self.at == "body" or self.is_seen, f"the focus at {self.at} is not seen"
        raise AssertionError(f"{name} is not reached with the Tab key")

    @property
    def is_seen(self) -> bool:
        """Whether the focus shows: a ring around the element, inside the window.

        The button inside a field for dates is the browser's, which draws its own ring.
        """
        seen: bool = self._page.tab.run("""
          const element = document.activeElement, style = getComputedStyle(element);
          const box = element.getBoundingClientRect();
          if (element.type === "date" && !element.matches(":focus")) return true;
          const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
          const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
          return (outlined || style.boxShadow !== "none") && box.width > 0 && inside;
        """)
        return seen


@pytest.fixture
def keyboard(page: DemoPage) -> Keyboard:
    """The page's keyboard."""
    return Keyboard(page)


def test_a_whole_visit_needs_no_mouse(page: DemoPage, keyboard: Keyboard) -> None:
    person = ADA.called("keyboard")
    keyboard.go_to("show-register")
    keyboard.press(ENTER)
    for field in ("first_name", "last_name", "email"):
        keyboard.go_to(field)
        keyboard.press(getattr(person, field))
    keyboard.go_to("date_of_birth")
    keyboard.press("12101990")
    keyboard.go_to("job_title")
    with page.authenticator.touched():
        keyboard.press(person.job_title + ENTER)
        page.wait_for_state("signed-in")
    assert page.profile["email"] == person.email
    assert "1990" in page.profile["date_of_birth"]
    keyboard.go_to("logout")
    keyboard.press(ENTER)
    page.wait_for_state("signed-out")
    keyboard.go_to("login-email")
    with page.authenticator.touched():
        keyboard.press(person.email + ENTER)
        page.wait_for_state("signed-in")


def test_the_focus_goes_where_the_page_goes_on(page: DemoPage, keyboard: Keyboard) -> None:
    """A person who does not see the page learns of a new state by where they are."""
    page.click("#show-register")
    assert keyboard.at in {"register-title", "first_name"}
    page.click("#show-login")
    assert keyboard.at in {"login-title", "login-email"}
    page.register(ADA.called("focus"))
    until(lambda: keyboard.at == "profile-title", "the focus is at the profile")
    page.log_out()
    until(lambda: keyboard.at in {"login-title", "login-email"}, "the focus is at the login")


def test_the_question_holds_the_focus_and_gives_it_back(page: DemoPage, keyboard: Keyboard) -> None:
    page.register(ADA.called("dialog"))
    page.authenticator.replace()
    with page.authenticator.touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")
    page.wait_for_passkeys(2)
    keyboard.go_to("remove")
    keyboard.press(ENTER)
    page.tab.wait("document.getElementById('confirm').open", "the page asks back")
    assert keyboard.at == "confirm-no"
    assert keyboard.is_seen
    visited = set()
    for _ in range(6):
        keyboard.press(TAB)
        visited.add(keyboard.at)
    assert visited <= {"confirm-no", "confirm-yes", "body"}
    keyboard.press(ESCAPE)
    page.tab.wait("!document.getElementById('confirm').open", "the question is gone")
    assert keyboard.at == "remove"
    keyboard.press(ENTER)
    keyboard.go_to("confirm-yes")
    keyboard.press(ENTER)
    page.wait_for_passkeys(1)
    assert keyboard.at != "body"


def test_renaming_needs_no_mouse_and_gives_the_focus_back(page: DemoPage, keyboard: Keyboard) -> None:
    page.register(ADA.called("renames.by.key"))
    row = page.wait_for_passkeys(1)[0]
    for end, name in ((ESCAPE, row.name), (ENTER, "Renamed by key")):
        keyboard.go_to("rename")
        keyboard.press(ENTER)
        assert keyboard.at == "name"
        page.tab.run("document.activeElement.select()")
        keyboard.press("Renamed by key" + end)
        page.tab.wait("!document.querySelector('form.rename')", "the form is gone")
        until(lambda name=name: row.name == name, f"the passkey is called {name}")  # type: ignore[misc]
        until(lambda: keyboard.at == "rename", "the focus is back")


def test_the_page_can_be_walked_through_at_the_width_of_a_phone(page: DemoPage, keyboard: Keyboard) -> None:
    page.tab.look(360, 640)
    page.register(ADA.called("walks"))
    page.wait_for_passkeys(1)
    for name in ("logout", "add-passkey", "rename"):
        keyboard.go_to(name)
        assert keyboard.is_seen


def test_everything_that_can_be_pressed_has_room_for_a_finger(page: DemoPage) -> None:
    """WCAG 2.2, 2.5.8: 24 pixels each way, for whatever is not in the middle of a sentence."""
    page.tab.look(360, 640)
    small = """
      return [...document.querySelectorAll("button, input, a")].filter(element => {
        const {width, height} = element.getBoundingClientRect();
        return width > 0 && (width < 24 || height < 24) && !element.closest("p");
      }).map(element => element.outerHTML.slice(0, 100));
    """
    assert page.tab.run(small) == []
    page.click("#show-register")
    assert page.tab.run(small) == []
    page.register(ADA.called("fingers"))
    page.wait_for_passkeys(1)
    assert page.tab.run(small) == []
