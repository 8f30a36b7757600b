"""Takes `docs/page.png`, the picture of the page: `python docs/page_picture.py`, while `detente serve` runs."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1200, "height": 1000}, color_scheme="light", reduced_motion="reduce")
    page.goto(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
    page.get_by_role("button", name="A first trip to Asia").click()
    page.get_by_role("button", name="Under Donald Trump").click()
    page.evaluate("scrollTo(0, 268)")  # from the strip down
    page.screenshot(path=ROOT / "docs" / "page.png", animations="disabled")
    browser.close()
