"""The kit sees what it has to see."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.chromium import NAMES, VARIABLE, NoChromiumError, find_chromium
from tests.browser.conftest import Visits, keep_screenshot, violations
from tests.waiting import until

# The icon keeps the browser from asking a server for one.
HEAD = '<!doctype html><html lang="en"><title>Page</title><link rel="icon" href="data:,">'
PAGE = HEAD + "<main><h1>Page</h1>{}</main></html>"


@pytest.fixture
def write(tmp_path):
    def page(body):
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(body))
        return path

    return page


def test_a_quiet_page_passes(visit, write):
    page = visit(write("<p>Nothing to see</p>"), color_scheme="dark", width=400)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.viewport_size["width"] == 400
    assert violations(page) == []
    assert visit.records[page].faults() == []


@pytest.fixture
def serve(tmp_path, write):
    """A host on this machine that serves the page."""
    write("")
    handler = functools.partial(Silent, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing on standard error."""


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>console.error('a complaint')</script>", "console error: a complaint"),
        ("<script>throw new Error('a slip')</script>", "page error: .*a slip"),
        ("<img alt='' src='https://example.com/a.png'>", "request to https://example.com/a.png"),
        (
            "<script>new WebSocket('ws://127.0.0.1:9/chat')</script>",
            "request to ws://127.0.0.1:9/chat",
        ),
    ],
)
def test_what_a_page_must_not_do_fails(browser, write, body, fault):
    visits = Visits(browser)
    page = visits(write(body))
    until(visits.records[page].faults, pause=lambda: page.wait_for_timeout(20))
    with pytest.raises(AssertionError, match=fault):
        visits.close()


def test_a_request_to_an_allowed_host_passes(visit, serve):
    page = visit(f"http://{serve}/page.html", offline=False, allowed=[serve])
    assert page.title() == "Page"
    assert visit.records[page].requests == [f"http://{serve}/page.html"]


def test_warnings_are_recorded_and_pass(visit, write):
    page = visit(write("<script>console.warn('careful')</script>"))
    assert visit.records[page].warnings == ["console warning: careful"]


def test_violations_name_rule_and_element(visit, write):
    (found,) = violations(
        visit(write("<img id='bare' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"))
    )
    assert (found.rule, found.impact, found.selector) == ("image-alt", "critical", "#bare")
    assert "alternative text" in found.why


def test_a_screenshot_has_the_whole_page(visit, write):
    path = keep_screenshot(visit(write("<div style='height: 3000px'></div>")), "kit")
    header = path.read_bytes()[:24]
    assert header[1:4] == b"PNG"
    assert int.from_bytes(header[20:24]) > 3000


def test_a_browser_is_found_by_variable_by_name_and_as_downloaded(tmp_path, monkeypatch):
    programs = {}
    for name in ("mine", NAMES[1], "downloaded"):
        programs[name] = tmp_path / name
        programs[name].touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(VARIABLE, str(programs["mine"]))
    for name in programs:
        assert find_chromium(programs["downloaded"]) == str(programs[name])
        programs[name].unlink()


def test_no_browser_is_said_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(NoChromiumError, match=r"google-chrome, chrome is on PATH.*make browser"):
        find_chromium(tmp_path / "chrome-linux")
