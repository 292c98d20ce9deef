"""The demo page as a person meets it: what it shows, and what one can do there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from selenium.webdriver.remote.webelement import WebElement

    from tests.browser.chromium import Tab

_TYPE = """
  for (const [selector, text] of Object.entries(arguments[0])) {
    const field = document.querySelector(selector);
    field.focus();
    field.value = text;
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, {bubbles: true}));
  }
"""


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody says of themselves at registration."""

    email: str = "ada@example.com"
    first_name: str = "Ada"
    last_name: str = "Lovelace"
    date_of_birth: str = "1990-12-10"
    job_title: str = "Analyst"

    def called(self, name: str) -> Person:
        """The same person with an e-mail of that name."""
        return replace(self, email=f"{name}@example.com")


@dataclass(frozen=True, slots=True)
class Message:
    """What the page says of what happened last."""

    code: str
    kind: str
    role: str
    text: str


class PasskeyRow:
    """A passkey in the list of the page."""

    def __init__(self, page: DemoPage, id: str) -> None:  # noqa: A002  # the attribute's name
        self._page = page
        self.id = id

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self._within(".passkey-name").text

    def rename(self, name: str) -> None:
        """Gives it another name and waits until it is shown."""
        self._within('button[data-action="rename"]').click()
        self._page.type('form.rename input[name="name"]', name)
        self._page.press_enter()
        shown = "document.querySelector(given[0])?.innerText"
        selector = f'#passkeys li[data-id="{self.id}"] .passkey-name'
        self._page.tab.wait(f"{shown} === given[1]", f"the passkey is called {name}", selector, name)

    def remove(self) -> None:
        """Asks for its removal; the page asks back."""
        self._within('button[data-action="remove"]').click()
        self._page.tab.wait("document.getElementById('confirm').open", "the page asks back")

    def _within(self, selector: str) -> WebElement:
        return self._page.tab.find(f'#passkeys li[data-id="{self.id}"] {selector}')


class DemoPage:
    """The page in a tab."""

    def __init__(self, tab: Tab, url: str) -> None:
        self.tab = tab
        self.url = url
        self.authenticator = tab.authenticator

    def open(self, state: str = "signed-out") -> Self:
        """Opens it, or opens it again, and waits until it is ready."""
        self.tab.go(self.url)
        self.wait_for_state(state)
        return self

    @property
    def state(self) -> str:
        """Whether somebody is signed in."""
        return self.tab.find("body").get_dom_attribute("data-state") or ""

    def wait_for_state(self, state: str) -> None:
        """Waits for a state of the page."""
        self.tab.wait("document.body?.dataset.state === given[0]", f"the page is {state}", state)

    @property
    def message(self) -> Message:
        """What it says now."""
        members = self.tab.run(
            "const m = document.getElementById('message');"
            "return [m.dataset.code || '', m.dataset.kind || '', m.getAttribute('role') || '', m.innerText];"
        )
        return Message(*members)

    def wait_for_message(self, code: str) -> Message:
        """Waits until it says something with that code."""
        said = "document.getElementById('message').dataset.code"
        self.tab.wait(f"{said} === given[0]", f"the page says {code}", code)
        return self.message

    @property
    def problems(self) -> dict[str, str]:
        """What is said at each field that is not right, by the field's id."""
        found: dict[str, str] = self.tab.run("""
          const said = field => (field.getAttribute("aria-describedby") || "").split(/\\s+/)
            .map(id => document.getElementById(id)?.innerText ?? "").join(" ").trim();
          const wrong = [...document.querySelectorAll("input[aria-invalid=true]")];
          const fields = wrong.filter(field => field.offsetParent !== null);
          return Object.fromEntries(fields.map(field => [field.id, said(field)]));
        """)
        return found

    def type(self, selector: str, text: str) -> None:
        """Writes into a field in place of what is there; a date in the form 1990-12-10."""
        self.tab.run(_TYPE, {selector: text})

    def press_enter(self) -> None:
        """The Enter key, wherever the focus is."""
        self.tab.browser.switch_to.active_element.send_keys("\ue007")

    def click(self, selector: str) -> None:
        """A click with the mouse."""
        self.tab.find(selector).click()

    def fill_in(self, person: Person) -> None:
        """Goes to the form of registration and fills it in."""
        if not self.tab.find("#register-form").is_displayed():
            self.click("#show-register")
        self.tab.run(_TYPE, {f"#{field}": text for field, text in asdict(person).items()})

    def register(self, person: Person) -> None:
        """Makes an account with a passkey, and arrives signed in."""
        self.fill_in(person)
        with self.authenticator.touched():
            self.click("#register-submit")
            self.wait_for_state("signed-in")

    def log_in(self, email: str) -> None:
        """With the e-mail, and arrives signed in."""
        self.type("#login-email", email)
        with self.authenticator.touched():
            self.click("#login-submit")
            self.wait_for_state("signed-in")

    def log_out(self) -> None:
        """Ends the session."""
        self.click("#logout")
        self.wait_for_state("signed-out")

    @property
    def profile(self) -> dict[str, str]:
        """What is shown of the person."""
        shown: dict[str, str] = self.tab.run(
            "return Object.fromEntries([...document.querySelectorAll('#profile [data-field]')]"
            ".map(element => [element.dataset.field, element.innerText]));"
        )
        return shown

    @property
    def passkeys(self) -> list[PasskeyRow]:
        """The list of one's passkeys."""
        rows = self.tab.run(
            "return [...document.querySelectorAll('#passkeys li[data-id]')].map(row => row.dataset.id);"
        )
        return [PasskeyRow(self, row) for row in rows]

    def wait_for_passkeys(self, count: int) -> list[PasskeyRow]:
        """Waits until so many are listed."""
        listed = "document.querySelectorAll('#passkeys li[data-id]').length"
        self.tab.wait(f"{listed} === given[0]", f"{count} passkeys are listed", count)
        return self.passkeys

    @property
    def token(self) -> str | None:
        """The access token that the page keeps."""
        kept: str | None = self.tab.run("return sessionStorage.getItem('webauthn_jwt');")
        return kept
