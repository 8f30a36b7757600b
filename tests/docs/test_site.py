"""The docs site: built without a warning, no link leads nowhere, nothing is loaded from another host."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.helpers.snippets import ROOT, options


class Page(HTMLParser):
    """What a page links to, what it loads, and which places in it can be linked to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.places.update(values[key] for key in ("id", "name") if key in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif "href" in values or "src" in values:
            self.loads += [values[key] for key in ("href", "src") if key in values]
        if "srcset" in values:
            self.loads += [part.split()[0] for part in values["srcset"].split(",")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "--fail-on-warning", "--keep-going", "-d", out / "trees", "docs", out],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in site.glob("*.html")}


@pytest.mark.slow
def test_no_link_leads_nowhere(pages: dict[Path, Page]) -> None:
    assert len(pages) > 10
    broken = []
    for file, page in pages.items():
        for link in [*page.links, *page.loads]:
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            path, place = urldefrag(link)
            target = (file.parent / unquote(urlsplit(path).path)).resolve() if path else file
            if not target.is_file() or (place and target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{file.name}: {link}")
    assert not broken


@pytest.mark.slow
def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    outside = [load for page in pages.values() for load in page.loads if urlsplit(load).netloc]
    for sheet in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        outside += re.findall(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\s\"')]+)", sheet.read_text("utf-8"))
    for script in site.rglob("*.js"):
        outside += re.findall(r"(?:import|fetch|src\s*=)\s*\(?[\"'`](https?://[^\"'`]+)", script.read_text("utf-8"))
    assert not outside


@pytest.mark.slow
def test_commands_and_figures_are_those_of_the_program_and_the_card(site: Path) -> None:
    said = (site / "commands.html").read_text("utf-8")
    for option in options() - {"--version"}:
        assert option in said
    card = (ROOT / "models" / "detente-mini" / "README.md").read_text("utf-8")
    rows = card.partition("<!-- report -->\n")[2].partition("<!-- /report -->")[0].splitlines()[2:]
    assert rows
    results = (site / "results.html").read_text("utf-8")
    for row in rows:
        for cell in filter(None, (cell.strip() for cell in row.split("|"))):
            assert cell in results
