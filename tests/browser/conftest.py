"""A kit to look at pages in a real Chromium: `visit` opens one and fails on what it does wrong."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import find_chromium
from tests.integration.conftest import ROOT

SCREENSHOTS = ROOT / "target" / "browser"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A test that forgets to be offline still reaches nothing but this machine.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
NETWORK = ("http", "https", "ws", "wss")
GRAVE = ("serious", "critical")
# Milliseconds in which what a test waits for has been drawn, on a busy machine too.
LONGEST_LOOK = 120_000
expect.set_options(timeout=LONGEST_LOOK)


@dataclass
class Record:
    """What one page did."""

    allowed: tuple[str, ...] = ()
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed_requests: list[str] = field(default_factory=list)

    def listen(self, page):
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("request", lambda request: self._reach(request.url))
        page.on("websocket", lambda socket: self._reach(socket.url))
        page.on("requestfailed", lambda it: self.failed_requests.append(f"{it.url} {it.failure}"))

    def faults(self):
        """Errors, and requests beyond the hosts that are allowed."""
        strange = [url for url in self.requests if urlsplit(url).netloc not in self.allowed]
        return [*self.errors, *(f"request to {url}" for url in strange)]

    def _hear(self, message):
        heard = {"error": self.errors, "warning": self.warnings}.get(message.type)
        if heard is not None:
            heard.append(f"console {message.type}: {message.text}")

    def _reach(self, url):
        if urlsplit(url).scheme in NETWORK:
            self.requests.append(url)


class Visits:
    """Opens pages, each with a profile of its own, and judges at the end what they did."""

    def __init__(self, browser):
        self.browser = browser
        self.records = {}

    def __call__(
        self,
        url_or_path,
        *,
        color_scheme="light",
        width=1280,
        height=900,
        offline=True,
        allowed=(),
    ):
        """Open a file or an address; `allowed` are hosts with port that the page may talk to."""
        context = self.browser.new_context(
            color_scheme=color_scheme,
            viewport={"width": width, "height": height},
            offline=offline,
            reduced_motion="reduce",
            service_workers="block",
        )
        context.set_default_timeout(LONGEST_LOOK)
        page = context.new_page()
        record = self.records[page] = Record(tuple(allowed))
        record.listen(page)
        page.goto(address(url_or_path))
        return page

    def close(self):
        """Close every page, and fail if one did what it must not do."""
        for page in self.records:
            page.context.close()
        faults = {page.url: record.faults() for page, record in self.records.items()}
        said = [f"{url}: {fault}" for url, found in faults.items() for fault in found]
        assert not said, "\n".join(said)


class Violation(NamedTuple):
    """One element that breaks one rule of axe-core."""

    rule: str
    impact: str
    selector: str
    why: str


def address(url_or_path):
    text = str(url_or_path)
    return text if "://" in text else Path(text).resolve().as_uri()


def violations(page):
    """The serious and critical violations of accessibility on a page, one per element."""
    found = Axe().run(page).response["violations"]
    return [
        Violation(
            rule["id"],
            rule["impact"],
            " ".join(map(str, node["target"])),
            f"{rule['help']}: {' '.join(node['failureSummary'].split())}",
        )
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def keep_screenshot(page, name):
    """Write the whole page to target/browser, to be looked at after the tests."""
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path


# While Playwright runs, its event loop is that of the thread: tests elsewhere must not meet it.
@pytest.fixture(scope="package")
def browser():
    with sync_playwright() as playwright:
        program = find_chromium(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """`visit(url_or_path)` gives a Playwright page; see Visits."""
    visits = Visits(browser)
    yield visits
    visits.close()
