"""A further passkey beside the first, on another authenticator of the machine, however old the login is (R-WA-23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.authenticator import Authenticator
from tests.browser.clocks import SKEW, put_forward
from tests.browser.demo_page import DemoPage, Person
from tests.browser.said import says
from tests.browser.watch import answered

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
STALE_SECONDS = 301
BEGIN, COMPLETE = "/users/me/credentials/begin", "/users/me/credentials/complete"
HELD = """
  window.__forgotten = [];
  PublicKeyCredential.signalUnknownCredential = async ({credentialId}) => { window.__forgotten.push(credentialId); };
  const create = CredentialsContainer.prototype.create;
  CredentialsContainer.prototype.create = async function (options) {
    await new Promise(go => window.__ask = go);
    window.__ask = null;
    const made = await create.call(this, options);
    await new Promise(go => window.__give = go);
    window.__give = null;
    return made;
  };
"""
"""The making of a passkey waits before the browser is asked, and before the page has its answer."""


def security_key(page: DemoPage) -> Authenticator:
    """A second authenticator, plugged in beside the one in the machine."""
    return Authenticator(page.tab.cdp, transport="usb", defaultBackupEligibility=False, defaultBackupState=False)


def make_with(page: DemoPage, key: Authenticator) -> None:
    """The person takes this one for the prompt that is about to open."""
    page.tab.wait("!!window.__ask", "the page asks for a new passkey")
    with key.touched():
        page.tab.run("window.__ask()")
        page.tab.wait("!!window.__give", "the passkey is made")


def hand_over(page: DemoPage) -> None:
    page.tab.run("window.__give()")


def test_a_security_key_is_added_beside_the_passkey_of_the_device(page: DemoPage) -> None:
    page.register(ADA.called("adds.a.key"))
    key = security_key(page)
    with key.touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")
    first, second = page.wait_for_passkeys(2)
    assert "built in" in page.tab.find(f'li[data-id="{first.id}"]').text
    assert "USB" in page.tab.find(f'li[data-id="{second.id}"]').text
    assert len(key.passkeys()) == len(page.authenticator.passkeys()) == 1


def test_adding_goes_on_when_a_login_that_is_too_old_was_renewed(own_page: DemoPage, demo: Demo) -> None:
    """Five minutes after the login, the page asks for another before it changes anything."""
    own_page.tab.watch.expect(answered(401, BEGIN))
    own_page.register(ADA)
    own_page.tab.run(HELD)
    key = security_key(own_page)
    demo.clock.ahead = STALE_SECONDS
    with own_page.authenticator.touched():
        own_page.click("#add-passkey")
        own_page.tab.wait("!!window.__ask", "the login is renewed")
    make_with(own_page, key)
    hand_over(own_page)
    own_page.wait_for_message("passkey-added")
    own_page.wait_for_passkeys(2)
    assert [event[1] for event in demo.events("login_complete")] == [1, 1]


def test_the_login_comes_first_when_it_would_get_too_old_during_the_prompt(tab: Tab, demo: Demo) -> None:
    tab.before_scripts(SKEW)
    page = DemoPage(tab, demo.url).open()
    page.register(ADA)
    tab.run(HELD)
    key = security_key(page)
    put_forward(page, demo, STALE_SECONDS - 60)
    with page.authenticator.touched():
        page.click("#add-passkey")
        tab.wait("!!window.__ask", "the login is renewed")
    put_forward(page, demo, STALE_SECONDS)
    make_with(page, key)
    hand_over(page)
    page.wait_for_message("passkey-added")
    assert [event[1] for event in demo.events("login_complete")] == [1, 1]


def too_late(page: DemoPage, demo: Demo) -> Authenticator:
    """The login gets too old while the prompt for a new passkey is open; gives the key that it was made on."""
    page.register(ADA)
    page.tab.run(HELD)
    key = security_key(page)
    page.click("#add-passkey")
    make_with(page, key)
    demo.clock.ahead = STALE_SECONDS
    page.tab.watch.expect(answered(401, COMPLETE))
    return key


def forgotten(page: DemoPage) -> list[str]:
    """The passkeys that the browser was told to forget."""
    credentials: list[str] = page.tab.run("return window.__forgotten")
    return credentials


def test_adding_starts_anew_when_the_login_got_too_old_during_the_prompt(own_page: DemoPage, demo: Demo) -> None:
    key = too_late(own_page, demo)
    with own_page.authenticator.touched():
        hand_over(own_page)
        own_page.tab.wait("!!window.__ask", "the login is renewed")
    assert len(forgotten(own_page)) == 1
    make_with(own_page, key)
    hand_over(own_page)
    own_page.wait_for_message("passkey-added")
    own_page.wait_for_passkeys(2)
    assert len(forgotten(own_page)) == 1


def test_no_passkey_stays_behind_when_the_login_that_adding_wants_is_refused(own_page: DemoPage, demo: Demo) -> None:
    too_late(own_page, demo)
    own_page.authenticator.verifies(is_user=False)
    with own_page.authenticator.touched():
        hand_over(own_page)
        says(own_page, "cancelled")
    assert len(forgotten(own_page)) == 1
    assert len(own_page.passkeys) == 1
    assert own_page.state == "signed-in"


def test_the_list_shows_the_passkey_when_the_answer_to_adding_it_was_lost(page: DemoPage) -> None:
    page.register(ADA.called("lost.answer"))
    page.tab.run(HELD)
    page.click("#add-passkey")
    make_with(page, security_key(page))
    page.tab.run("""
      const real = fetch;
      window.fetch = async (path, options) => {
        const answer = await real(path, options);
        return path.endsWith("/complete") ? Promise.reject(new TypeError("lost")) : answer;
      };
    """)
    hand_over(page)
    says(page, "offline")
    page.wait_for_passkeys(2)
    assert forgotten(page) == []


def test_no_passkey_is_made_when_the_account_has_as_many_as_it_may(
    page: DemoPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.register(ADA.called("has.enough"))
    monkeypatch.setattr("authctl.server.ceremonies.adding.MOST_CREDENTIALS", 1)
    page.tab.watch.expect(answered(409, BEGIN))
    page.click("#add-passkey")
    says(page, "too-many-credentials")


def changed_elsewhere(page: DemoPage) -> None:
    """Another tab of the same person tells of a change, and the list is drawn anew."""
    page.tab.run("""
      document.querySelector("#passkeys li").dataset.old = "";
      new BroadcastChannel("authctl").postMessage(
        {event: "passkeys", userId: sessionStorage.getItem("webauthn_user_id")});
    """)
    page.tab.wait("!document.querySelector('#passkeys [data-old]')", "the list is drawn anew")


def test_what_is_being_written_stays_when_the_list_is_drawn_anew(page: DemoPage) -> None:
    page.register(ADA.called("writes"))
    with security_key(page).touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")
    page.wait_for_passkeys(2)
    page.click('#passkeys li:last-child button[data-action="rename"]')
    page.type('form.rename input[name="name"]', "Half a na")
    changed_elsewhere(page)
    assert page.tab.run("return [document.activeElement.name, document.activeElement.value]") == ["name", "Half a na"]


def test_the_browser_is_told_nothing_of_passkeys_that_change_in_another_tab(page: DemoPage) -> None:
    """That tab may just be making one, which the service does not list yet: the browser would throw it away."""
    page.register(ADA.called("is.told"))
    page.tab.run("""
      window.__told = [];
      PublicKeyCredential.signalAllAcceptedCredentials = async all => { window.__told.push(all); };
    """)
    changed_elsewhere(page)
    assert page.tab.run("return window.__told") == []
    with security_key(page).touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")
    assert [len(all_of_them["allAcceptedCredentialIds"]) for all_of_them in page.tab.run("return window.__told")] == [2]
