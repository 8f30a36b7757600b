"""What the tests of the page share: visits, screenshots, articles that are pasted, what axe finds."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

KEY = "a key of more than sixteen characters".replace(" ", "-")

#: Where screenshots are kept, for people to look at after a run.
ARTIFACTS = Path(os.environ.get("DETENTE_ARTIFACTS", Path(__file__).resolve().parents[2] / ".artifacts"))

#: Milliseconds; longer than anything here takes, on a busy machine too.
PATIENCE = 60_000

Visit = Callable[..., Page]


def keep(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a screenshot, of the whole page or of what is in view, for those who look after the run."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=whole, animations="disabled")


def read(page: Page, text: str, date: str = "") -> None:
    """Paste an article and have it read."""
    compose = page.locator("#compose")
    if compose.get_attribute("open") is None:
        page.locator("#compose summary").click()
    page.get_by_label("Article in English").fill(text)
    page.locator("#date").fill(date)
    page.get_by_role("button", name="Read the article").click()
    page.locator("#status").get_by_text("sentence").wait_for()


def violations(page: Page) -> list[str]:
    """What axe-core has against the page as it is, by its rules for WCAG 2.2 A and AA and for good practice."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = Axe().run(page, options={"runOnly": tags}).response
    assert len(found["passes"]) > 10
    return [
        f"{v['id']}: {node['html'][:200]} {node['failureSummary']}" for v in found["violations"] for node in v["nodes"]
    ]


def save(page: Page, kind: str) -> bytes:
    with page.expect_download() as download:
        page.locator("#article").get_by_role("button", name=kind).click()
    assert download.value.suggested_filename.endswith(kind.lower())
    return Path(download.value.path()).read_bytes()
