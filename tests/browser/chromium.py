"""Finds the Chromium that the tests drive; run as a module, installs one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

VARIABLE = "MALL_SEGMENTS_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class NoChromiumError(RuntimeError):
    """There is no browser to test with."""

    def __init__(self, downloaded):
        super().__init__(
            f"No Chromium: {VARIABLE} names none, none of {', '.join(NAMES)} is on PATH, and"
            f" Playwright has not downloaded one to {downloaded}. Install one by `make browser`."
        )


def find_chromium(downloaded):
    """The program to start; `downloaded` is where Playwright would have put its own."""
    candidates = [os.environ.get(VARIABLE), *NAMES, str(downloaded)]
    for found in map(shutil.which, filter(None, candidates)):
        if found:
            return found
    raise NoChromiumError(downloaded)


def install_chromium():
    """From Debian's packages where we may, which bring the libraries that a browser needs."""
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        commands = [["apt-get", "update"], ["apt-get", "install", "--yes", "chromium"]]
    else:
        commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    for command in commands:
        click.echo(" ".join(command))
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, check=True, env=environment)


def main():
    with sync_playwright() as playwright:
        downloaded = Path(playwright.chromium.executable_path)
    try:
        click.echo(f"The browser tests use {find_chromium(downloaded)}.")
    except NoChromiumError as error:
        click.echo(error)
        install_chromium()
        click.echo(f"Installed {find_chromium(downloaded)}.")


if __name__ == "__main__":
    main()
