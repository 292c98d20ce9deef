"""Takes pictures of the pages, and the README's two among them: `make screenshots`."""

from __future__ import annotations

import sys
from base64 import b64decode
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx2

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.presets import preset
from authctl.virtual_authenticator.credential_store.chromium import to_browser
from tests.browser.chromium import Tab, chromium
from tests.browser.demo_page import DemoPage, Person
from tests.browser.servers import Demo
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES: Final = Path(__file__).parent / "images"
DIRECTORY: Final = Path("build/screenshots")
LOOKS: Final = tuple((scheme, width) for scheme in ("light", "dark") for width in (360, 768, 1440))
MOST_BYTES: Final = 80_000
JANE: Final = Person("jane@example.com", "Jane", "Doe", "1990-01-15", "Engineer")
DEVICES: Final = (
    ("synced-passkey", "d548826e-79b4-db40-a3d8-11116f7e8349", "Password manager", datetime(2026, 1, 12, 9, 41)),
    ("platform", "08987058-cadc-4b81-b6e1-30de50dcbe96", "Laptop at work", datetime(2026, 2, 3, 14, 20)),
)
"""Preset, model, name, and when the passkey was made."""
TODAY: Final = datetime(2026, 3, 2, 10, 14)


def main() -> None:
    """Writes every picture into the directory that is named, and two into docs/images."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    service = Demo(authenticator_attachment="any")
    _set(service, DEVICES[0][-1])
    with chromium() as browser, service as demo:
        passkey = _account(demo)
        tab = Tab(browser, Watch(browser))
        tab.cdp("Emulation.setTimezoneOverride", timezoneId="UTC")
        tab.cdp("Emulation.setScrollbarsHidden", hidden=True)
        tab.authenticator.put(passkey)
        page = DemoPage(tab, demo.url)
        for state in _states(page):
            tab.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)  # nothing lies under it there
            for scheme, width in LOOKS:
                tab.look(width, 900, scheme)
                (directory / f"{state}-{scheme}-{width}.png").write_bytes(tab.whole())
            _for_the_readme(page, state)
            tab.look()
        tab.watch.check()
    print(f"{len(list(directory.glob('*.png')))} pictures in {directory}, two in {IMAGES}")


def _states(page: DemoPage) -> Iterator[str]:
    """Brings the page from one state to the next."""
    page.open()
    yield "log-in"
    page.click("#show-register")
    yield "register"
    page.click("#register-submit")
    page.tab.wait("document.querySelectorAll('#register-form [aria-invalid=true]').length === 5", "faults are shown")
    yield "register-with-faults"
    page.click("#show-login")
    page.log_in(JANE.email)
    page.wait_for_passkeys(len(DEVICES))
    yield "signed-in"
    page.click('#passkeys button[data-action="rename"]')
    yield "renaming"
    page.click('form.rename button[data-action="cancel"]')
    page.passkeys[0].remove()
    yield "question"
    page.click("#confirm-no")
    page.log_out()
    yield "logged-out"
    page.tab.go(f"{page.url}/docs")
    page.tab.wait("document.querySelector('.opblock')", "the operations are listed")
    yield "api"


def _account(demo: Demo) -> dict[str, Any]:
    """Makes Jane's account with a passkey of each device; gives the first, for a browser's authenticator.

    The software authenticator makes them, because it can be of any model; Chromium's is of none.
    """
    devices: list[Client] = []
    with httpx2.Client(base_url=demo.url, trust_env=False) as http:
        for kind, model, _, moment in DEVICES:
            _set(demo, moment)
            device = Client(VirtualAuthenticator(replace(preset(kind), aaguid=UUID(model).bytes)), demo.url)
            if devices:
                _log_in(http, devices[0])
                created = device.create(_post(http, "/users/me/credentials/begin", {}))
                _post(http, "/users/me/credentials/complete", {"credential": created})
            else:
                created = device.create(_post(http, "/register/begin", asdict(JANE)))
                _post(http, "/register/complete", {"email": JANE.email, "credential": created})
            devices.append(device)
        for passkey, (*_, name, _) in zip(_passkeys(http), DEVICES, strict=True):
            http.patch(f"/users/me/credentials/{passkey['id']}", json={"name": name}).raise_for_status()
    _set(demo, TODAY)
    return to_browser(devices[0].authenticator.store.all()[0])


def _log_in(http: httpx2.Client, device: Client) -> None:
    assertion = device.get(_post(http, "/login/begin", {"email": JANE.email}))
    answer = _post(http, "/login/complete", {"email": JANE.email, "assertion": assertion})
    http.headers["Authorization"] = f"Bearer {answer['access_token']}"


def _passkeys(http: httpx2.Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = http.get("/users/me/credentials").raise_for_status().json()["credentials"]
    return listed


def _post(http: httpx2.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = http.post(path, json=body).raise_for_status().json()
    return answer


def _set(demo: Demo, moment: datetime) -> None:
    demo.clock.ahead = (moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()


def _for_the_readme(page: DemoPage, state: str) -> None:
    tab = page.tab
    if state == "signed-in":
        tab.look(1200, 860, "light")
        _write(tab, "demo-page.webp", 1200, 860)
    elif state == "log-in":
        tab.look(390, 860, "dark")
        _write(tab, "demo-page-phone.webp", 390, 860)


def _write(tab: Tab, name: str, width: int, height: int) -> None:
    """The part of the page in view, twice as sharp, as good as its size allows."""
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 2}
    for quality in (90, 80, 70, 60, 50, 40):
        answer = tab.cdp("Page.captureScreenshot", format="webp", quality=quality, clip=clip)
        picture = b64decode(answer["data"])
        if len(picture) < MOST_BYTES:
            (IMAGES / name).write_bytes(picture)
            return
    raise SystemExit(f"{name} does not fit into {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
