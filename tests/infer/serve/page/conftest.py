"""Debian's Chromium before a real server: what people see, and that nothing else is asked for."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright.sync_api", reason="the page's tests need playwright: pip install 'detente[dev]'")
pytest.importorskip("fastapi", reason="the page's tests need a server: pip install 'detente[serve]'")

from playwright.sync_api import Browser, Page, expect, sync_playwright

from detente.infer.label.labeler import Detente, load
from detente.models.model_dir import resolve
from tests.helpers.page import KEY, PATIENCE, Visit
from tests.helpers.serving import served

_QUIET = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; installed where that is possible."""
    if found := os.environ.get("DETENTE_CHROMIUM") or shutil.which("chromium"):
        return found
    if not shutil.which("apt-get") or os.geteuid():
        pytest.skip("no chromium, and only root can apt-get install it; DETENTE_CHROMIUM may name one")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", "chromium"]):
        ran = subprocess.run(command, check=False, env=quiet, capture_output=True, text=True, timeout=500)
    return shutil.which("chromium") or pytest.skip(f"apt-get installed no chromium: {ran.stderr.strip()[-200:]}")


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Of this folder only: Playwright leaves an event loop running in the thread until it is stopped."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield started
        started.close()


@pytest.fixture(scope="session")
def model() -> Detente:
    return load(threads=1)


@pytest.fixture(scope="session")
def server(model: Detente) -> Iterator[str]:
    with served(model, resolve(None)) as address:
        yield address


@pytest.fixture(scope="session")
def locked(model: Detente) -> Iterator[str]:
    """A server that wants a key."""
    with served(model, resolve(None), keys=[KEY]) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    """Open the page; in the end nothing was asked of another host, and nothing went wrong that no test expects."""
    contexts = []
    asked: list[str] = []
    wrong: list[str] = []

    def open_page(
        address: str = server, *, width: int = 1280, height: int = 900, ready: bool = True, **how: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        page.goto(address)
        if ready:
            page.get_by_text("Model detente-mini").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert asked
    assert {urlsplit(url).hostname for url in asked if urlsplit(url).scheme not in ("blob", "data")} == {"127.0.0.1"}
    # That an answer says no, or that there is none, the browser itself writes to the console.
    assert [line for line in wrong if not line.startswith("Failed to load resource")] == []
