"""The page says why a sentence is read as it is: asked for once, for everyone, and clear where there is no answer."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.label.labeler import Detente
from detente.infer.readings.reading import Reading
from detente.infer.serve import app
from tests.helpers.page import Visit, keep, read, save, violations
from tests.helpers.serving import served

TEXT = "🌾 Japan thanked India for its help in the talks. China warned Japan, and Japan met India."
WAITING = "Reading the labelled examples …"


@pytest.fixture(scope="module")
def tiny(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detente]:
    """A model that reads the labelled examples fast, and the user's cache, an empty folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield Detente(OnnxEncoder(tiny_model))


@pytest.fixture(scope="module")
def explaining(tiny: Detente, tiny_model: Path) -> Iterator[str]:
    with served(tiny, tiny_model) as address:
        yield address


@pytest.fixture(scope="module")
def readings(tiny: Detente) -> list[Reading]:
    """What the page shows."""
    return tiny.label(TEXT, explain=True)


def card(page: Page, reading: Reading) -> Locator:
    """Choose a sentence and find what is said of one of its dyads."""
    page.locator(f'.sentence[data-start="{reading.start}"] .words').click()
    (at,) = [at for at, text in enumerate(page.locator("#details h3").all_inner_texts()) if text == NAMES[reading.dyad]]
    return page.locator("#details .reading").nth(at)


NAMES = {"IND-JPN": "India – Japan", "CHN-JPN": "China – Japan", "CHN-IND": "China – India"}


def percent(p: float) -> str:
    return f"{math.floor(p * 100 + 0.5)} %"


def shows(why: Locator, reading: Reading) -> None:
    """What is open is what the model says."""
    assert reading.why
    assert why.locator("mark").all_inner_texts() == [TEXT[start:end] for start, end, _ in reading.why.spans]
    before = reading.to_dict()["probabilities"][reading.tone]  # rounded, as the page has it
    after = [max(0, before - span["weight"]) for span in reading.to_dict()["why"]["spans"]]
    assert why.locator(".weights .figure").all_inner_texts() == [f"{percent(before)} → {percent(p)}" for p in after]
    assert why.locator(".like q").all_inner_texts() == [like.sentence for like in reading.why.like]
    assert why.locator(".like .tone").all_inner_texts() == [like.tone for like in reading.why.like]


def test_why_is_asked_once_for_an_article(visit: Visit, explaining: str, readings: list[Reading]) -> None:
    page = visit(explaining, ready=False)
    read(page, TEXT)
    asked: list[bool] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "")["explain"])
        held.append(route)

    assert "why" not in json.loads(save(page, "JSON"))[0]
    page.route("**/v1/label", hold)
    first, *_, last = [reading for reading in readings if reading.why and reading.why.spans]
    assert first.start != last.start
    why = card(page, first).locator(".why")
    button = why.get_by_role("button", name="Why?")
    button.click()
    expect(why.get_by_text(WAITING)).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text(WAITING)
    button.press("Enter")  # it is asked already
    expect(button).to_have_attribute("aria-expanded", "false")
    held.pop().continue_()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status").first).to_contain_text("3 labelled sentences that read alike.")
    expect(why.get_by_text(WAITING)).to_be_hidden()
    shows(why, first)
    other = card(page, last).locator(".why")
    other.get_by_role("button", name="Why?").click()
    expect(other.locator("mark").first).to_be_visible()
    shows(other, last)
    assert asked == [True]
    assert [record["why"] for record in json.loads(save(page, "JSON"))] == [r.to_dict()["why"] for r in readings]
    assert "why" not in next(csv.reader(io.StringIO(save(page, "CSV").decode("utf-8-sig"))))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("dark", 360)])
def test_why_is_for_everyone(
    visit: Visit, explaining: str, scheme: Literal["light", "dark"], width: int, readings: list[Reading]
) -> None:
    page = visit(explaining, ready=False, width=width, height=740, color_scheme=scheme, reduced_motion="reduce")
    read(page, TEXT)
    sentence = page.locator(f'.sentence[data-start="{readings[0].start}"]')
    sentence.focus()
    for key in ("Enter", "Tab", "Tab"):
        page.keyboard.press(key)
    why = page.locator("#details .why").first
    expect(why.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(why.locator("mark").first).to_be_visible()
    expect(why.get_by_role("button")).to_be_focused()
    keep(page, f"why-{width}-{scheme}", whole=width > 500)
    assert violations(page) == []
    last = why.locator(".like li").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Space")
    expect(last).to_be_hidden()
    page.keyboard.press("Escape")
    expect(sentence).to_be_focused()
    expect(why).to_have_count(0)


def saying(status: int, error: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, json={"error": error})


def test_why_not(visit: Visit, explaining: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = visit(explaining, ready=False)
    read(page, TEXT)
    page.locator(".sentence.read").first.click()
    why = page.locator("#details .why").first
    for status, said in ((429, "64 requests are in hand; ask again later"), (504, "not done within 60 s")):
        page.route("**/v1/label", saying(status, said))
        why.get_by_role("button").click()
        expect(why.get_by_role("alert")).to_have_text(f"{said.capitalize()}.")
        page.unroute("**/v1/label")
    with monkeypatch.context() as patch:
        patch.setattr(app, "MOST_EXPLAINED", 1)
        why.get_by_role("button").click()
        expect(why.get_by_role("alert")).to_contain_text("are more than 1 that can be explained; send less text.")
    expect(page.get_by_role("status").first).to_be_empty()
    assert violations(page) == []
    why.get_by_role("button").click()  # once more
    expect(why.locator(".like").first).to_be_visible()
    expect(why.get_by_role("alert")).to_be_hidden()
