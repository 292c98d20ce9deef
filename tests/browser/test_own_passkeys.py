"""Passkeys on the demo page: another one, another name, away with one, and never with the last (R-WA-23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.demo_page import DemoPage, Person
from tests.browser.watch import answered

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
STALE_SECONDS = 301


def add_from_another_device(page: DemoPage) -> None:
    """A second passkey, on a device that takes the place of the first."""
    page.authenticator.replace()
    with page.authenticator.touched():
        page.click("#add-passkey")
        page.wait_for_message("passkey-added")


def confirmed(page: DemoPage) -> None:
    page.click("#confirm-yes")
    page.tab.wait("!document.getElementById('confirm').open", "the question is gone")


def test_a_second_passkey_logs_in_when_it_was_added(page: DemoPage) -> None:
    person = ADA.called("adds")
    page.register(person)
    add_from_another_device(page)
    names = [passkey.name for passkey in page.wait_for_passkeys(2)]
    assert len(set(names)) == 2
    page.log_out()
    page.log_in(person.email)
    assert page.profile["email"] == person.email


def test_a_passkey_keeps_the_name_that_it_was_given(page: DemoPage) -> None:
    page.register(ADA.called("renames"))
    page.wait_for_passkeys(1)[0].rename("Telephone of the kitchen")
    page.open("signed-in")
    assert page.wait_for_passkeys(1)[0].name == "Telephone of the kitchen"


def test_a_name_stays_as_it_was_when_the_renaming_is_given_up(page: DemoPage) -> None:
    page.register(ADA.called("does.not.rename"))
    passkey = page.wait_for_passkeys(1)[0]
    before = passkey.name
    page.click('#passkeys button[data-action="rename"]')
    page.type('form.rename input[name="name"]', "Something else")
    page.tab.browser.switch_to.active_element.send_keys("\ue00c")
    page.tab.wait("!document.querySelector('form.rename')", "the form is gone")
    assert passkey.name == before


def test_a_passkey_is_gone_when_its_removal_is_confirmed(page: DemoPage) -> None:
    page.register(ADA.called("removes"))
    add_from_another_device(page)
    first, second = page.wait_for_passkeys(2)
    second.remove()
    assert second.name in page.tab.find("#confirm-text").text
    confirmed(page)
    page.wait_for_message("passkey-removed")
    assert [row.id for row in page.wait_for_passkeys(1)] == [first.id]


def test_the_session_ends_when_the_passkey_that_opened_it_is_removed(page: DemoPage) -> None:
    person = ADA.called("removes.the.used.one")
    page.tab.watch.expect(answered(401, "/users/me/credentials"))
    page.register(person)
    add_from_another_device(page)
    page.wait_for_passkeys(2)[0].remove()
    assert "this session ends too" in page.tab.find("#confirm-text").text
    page.click("#confirm-yes")
    page.wait_for_state("signed-out")
    assert "passkey you were logged in with is removed" in page.wait_for_message("session-expired").text
    page.log_in(person.email)
    assert len(page.wait_for_passkeys(1)) == 1


def test_a_passkey_stays_when_its_removal_is_not_confirmed(page: DemoPage) -> None:
    page.register(ADA.called("does.not.remove"))
    add_from_another_device(page)
    rows = page.wait_for_passkeys(2)
    rows[0].remove()
    page.click("#confirm-no")
    page.tab.wait("!document.getElementById('confirm').open", "the question is gone")
    page.open("signed-in")
    assert [row.id for row in page.wait_for_passkeys(2)] == [row.id for row in rows]


def test_the_last_passkey_stays_and_the_page_says_why(page: DemoPage) -> None:
    page.register(ADA.called("has.one"))
    row = page.wait_for_passkeys(1)[0]
    page.tab.watch.expect(answered(409, f"/users/me/credentials/{row.id}"))
    row.remove()
    confirmed(page)
    said = page.wait_for_message("last-credential")
    assert (said.kind, said.role) == ("error", "alert")
    assert [one.id for one in page.passkeys] == [row.id]


def test_an_authenticator_that_has_a_passkey_already_gets_no_second_one(page: DemoPage) -> None:
    page.register(ADA.called("has.it.already"))
    page.wait_for_passkeys(1)
    with page.authenticator.touched():
        page.click("#add-passkey")
        said = page.wait_for_message("already-registered")
    assert (said.kind, said.role) == ("error", "alert")
    assert "security key" in said.text
    assert len(page.passkeys) == 1


def test_removing_goes_on_when_a_login_that_is_too_old_was_renewed(own_page: DemoPage, demo: Demo) -> None:
    """R-WA-23: five minutes after the login, the page asks for another before it changes anything."""
    own_page.register(ADA)
    add_from_another_device(own_page)
    rows = own_page.wait_for_passkeys(2)
    demo.clock.ahead = STALE_SECONDS
    own_page.tab.watch.expect(answered(401, f"/users/me/credentials/{rows[0].id}"))
    rows[0].remove()
    with own_page.authenticator.touched():
        confirmed(own_page)
        own_page.wait_for_message("passkey-removed")
    # The new login is with the other passkey, which is why this session outlives the first one.
    assert [row.id for row in own_page.wait_for_passkeys(1)] == [rows[1].id]


def test_nothing_changes_when_the_renewal_of_an_old_login_is_refused(own_page: DemoPage, demo: Demo) -> None:
    """R-WA-23, as above."""
    own_page.register(ADA)
    add_from_another_device(own_page)
    rows = own_page.wait_for_passkeys(2)
    demo.clock.ahead = STALE_SECONDS
    own_page.tab.watch.expect(answered(401, f"/users/me/credentials/{rows[0].id}"))
    rows[0].remove()
    own_page.authenticator.verifies(is_user=False)
    with own_page.authenticator.touched():
        confirmed(own_page)
        own_page.wait_for_message("cancelled")
    assert own_page.state == "signed-in"
    assert [row.id for row in own_page.wait_for_passkeys(2)] == [row.id for row in rows]


def test_a_passkey_that_was_removed_elsewhere_is_no_dead_row(tab: Tab, shared_demo: Demo) -> None:
    page = DemoPage(tab, shared_demo.url).open()
    page.register(ADA.called("removed.elsewhere"))
    add_from_another_device(page)
    rows = page.wait_for_passkeys(2)
    path = f"/users/me/credentials/{rows[1].id}"
    tab.watch.expect(answered(404, path))
    removed = tab.run(
        "return fetch(arguments[0], {method: 'DELETE', headers: {Authorization: 'Bearer ' + arguments[1]}})"
        ".then(answer => answer.status)",
        path,
        page.token,
    )
    assert removed == 204
    rows[1].remove()
    confirmed(page)
    page.wait_for_passkeys(1)
