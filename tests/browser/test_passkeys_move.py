"""One passkey serves authctl and a real Chromium, in both directions (SPEC §10)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import example, need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser.conftest import Site

pytestmark = pytest.mark.browser
EMAIL = "ada@example.com"
PRESETS = ("platform", "synced-passkey")


def exported(site: Site, form: str, preset: str = "platform") -> Path:
    """A passkey that authctl registered at the service, in the form of a browser."""
    made = site.simulate("register", EMAIL, "--preset", preset, "--algorithm", "ES256")
    path = site.directory / "exported.json"
    credential_id = json.loads(made.stdout)["credential_id"]
    site.authctl("passkeys", "export", "--unencrypted-for-tests", form, "--output", str(path), "--", credential_id)
    return path


def logged_in_with(site: Site, path: Path) -> dict[str, Any]:
    """What the login of the software authenticator says, with nothing but the passkeys of the file."""
    site.passkeys.unlink(missing_ok=True)
    site.authctl("passkeys", "import", str(path))
    answer: dict[str, Any] = json.loads(site.simulate("login", EMAIL).stdout)
    assert [step["ceremony"] for step in answer["steps"]] == ["login"] * len(answer["steps"])
    return answer


@pytest.fixture
def selenium() -> Iterator[tuple[Any, Any]]:
    """The example's module and a driver of its making."""
    need("selenium", "chromium", "chromedriver")
    module = example("selenium_passkeys")
    driver = module.open_chromium()
    yield module, driver
    driver.quit()


def click(driver: Any, button: str) -> str:
    """What the page says after a click."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    driver.find_element(By.ID, button).click()
    result = driver.find_element(By.ID, "result")
    text: str = WebDriverWait(driver, 20).until(lambda _: result.text)
    return text


def press(page: Any, button: str) -> str:
    """What the page says after a click."""
    page.click(f"#{button}")
    page.wait_for_function("document.getElementById('result').textContent")
    text: str = page.inner_text("#result")
    return text


@pytest.mark.parametrize("preset", PRESETS)
def test_authctls_passkey_logs_in_in_chromium_when_selenium_puts_it_there(
    site: Site, selenium: tuple[Any, Any], preset: str
) -> None:
    module, driver = selenium
    module.put_passkeys(driver, exported(site, "--webdriver", preset))
    driver.get(site.page(EMAIL))
    assert click(driver, "login") == f"logged in {EMAIL}"


def test_chromiums_passkey_logs_in_with_authctl_when_selenium_takes_it_out(
    site: Site, selenium: tuple[Any, Any]
) -> None:
    module, driver = selenium
    driver.get(site.page(EMAIL))
    assert click(driver, "register") == f"registered {EMAIL}"
    path = site.directory / "taken.json"
    module.take_passkeys(driver, path)
    assert logged_in_with(site, path)["email"] == EMAIL


def test_authctls_passkey_logs_in_in_playwrights_own_authenticator(site: Site, context: Any) -> None:
    example("playwright_passkeys").put_passkeys(context, exported(site, "--playwright"))
    page = context.new_page()
    page.goto(site.page(EMAIL))
    assert press(page, "login") == f"logged in {EMAIL}"


def test_a_passkey_of_playwrights_own_authenticator_logs_in_with_authctl(site: Site, context: Any) -> None:
    context.credentials.install()
    page = context.new_page()
    page.goto(site.page(EMAIL))
    assert press(page, "register") == f"registered {EMAIL}"
    path = site.directory / "taken.json"
    example("playwright_passkeys").take_passkeys(context, path)
    assert logged_in_with(site, path)["email"] == EMAIL


@pytest.mark.parametrize("preset", PRESETS)
def test_authctls_passkey_logs_in_in_chromium_when_playwright_puts_it_there(
    site: Site, context: Any, preset: str
) -> None:
    module = example("chromium_passkeys")
    page = context.new_page()
    session, authenticator = module.add_authenticator(page)
    module.put_passkeys(session, authenticator, exported(site, "--chromium", preset))
    page.goto(site.page(EMAIL))
    assert press(page, "login") == f"logged in {EMAIL}"


def test_a_passkey_goes_to_chromium_and_back_and_its_count_goes_on(site: Site, context: Any) -> None:
    """R-CL-05: the count never falls, wherever the passkey was used."""
    module = example("chromium_passkeys")
    page = context.new_page()
    session, authenticator = module.add_authenticator(page)
    page.goto(site.page(EMAIL))
    assert press(page, "register") == f"registered {EMAIL}"
    page.reload()
    assert press(page, "login") == f"logged in {EMAIL}"
    path = site.directory / "taken.json"
    module.take_passkeys(session, authenticator, path)
    site.authctl("passkeys", "import", str(path))
    before = json.loads(site.authctl("passkeys", "list", "--format", "json").stdout)[0]["sign_count"]
    answer = logged_in_with(site, path)
    after = json.loads(site.authctl("passkeys", "list", "--format", "json").stdout)[0]["sign_count"]
    assert answer["email"] == EMAIL
    assert after > before > 0
