"""The first tab says of an article what the model says, and shows an article's text as text."""

import csv
import io
import json
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from detente.data.codebook.labels import TONES, WARMTH
from detente.infer.label.labeler import Detente
from detente.infer.readings.reading import Reading
from tests.helpers.page import Visit, read, save

ROOT = Path(__file__).resolve().parents[4]
DATE = "2024-04-10"
TEXT = (
    "Japan thanked India for its help. Nobody else was there.\n\n"
    "China condemned the United States over Taiwan. Washington and Tokyo signed a defence pact. "
    "Fumio Kishida praised Biden."
)


@pytest.fixture
def page(visit: Visit) -> Page:
    shown = visit()
    read(shown, TEXT, DATE)
    return shown


@pytest.fixture(scope="module")
def readings(model: Detente) -> list[Reading]:
    return model.label(TEXT, date=DATE)


def shown(page: Page) -> list[str]:
    return page.locator(".sentence.read .words").all_inner_texts()


def test_a_pasted_article_is_shown_with_what_the_model_reads(page: Page, readings: list[Reading]) -> None:
    assert page.locator(".sentence").count() == 5
    assert shown(page) == list(dict.fromkeys(r.sentence for r in readings))
    assert page.locator(".prose p").count() == 2
    mentions = {TEXT[m.start : m.end] for r in readings for m in r.mentions}
    assert mentions <= {*page.locator(".sentence.read mark").all_inner_texts()}
    for reading in readings:
        sentence = page.locator(f'.sentence[data-start="{reading.start}"]')
        expect(sentence.locator(f'.tags [data-tone="{reading.tone}"]')).to_contain_text(reading.dyad.replace("-", "–"))
    alone = page.get_by_role("button", name="Japan thanked India for its help. (alliance-building: India – Japan)")
    expect(alone).to_have_attribute("data-tone", "alliance-building")


def test_a_sentence_tells_its_details(page: Page, readings: list[Reading]) -> None:
    (reading,) = [r for r in readings if r.sentence.startswith("Fumio")]
    details = page.locator("#details")
    page.locator("#prose").get_by_text("praised").hover()
    expect(details.locator("h3")).to_have_text("Japan – United States")
    expect(details).to_contain_text(f"{reading.tone} {reading.probability:.0%}".replace("%", " %"))
    assert details.locator(".bars .figure").all_inner_texts() == [
        f"{round(reading.probabilities[tone] * 100)} %"
        for tone in ("frosty", "neutral", "engaging", "alliance-building", "none")
    ]
    assert reading.direction == "a>b"
    expect(details).to_contain_text("Japan → United States")
    expect(details).to_contain_text("Japan to United States")  # for the ear
    expect(details.locator("q")).to_have_text(reading.cue)
    expect(details).to_contain_text("Fumio Kishida – Japan, by who held office")
    assert "".join(page.locator(".sentence.active .cue").all_inner_texts()) == reading.cue


def test_a_sentence_that_was_chosen_stays_until_it_is_closed(page: Page) -> None:
    page.locator("#prose").get_by_text("thanked").click()
    page.locator("#prose").get_by_text("condemned").hover()
    expect(page.locator("#details h3")).to_have_text("India – Japan")
    expect(page.locator(".sentence.pinned")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".sentence.pinned")).to_have_count(0)
    expect(page.locator("#details")).to_contain_text("Point at a tinted sentence")


def test_pairs_of_states_filter_what_is_shown(page: Page, readings: list[Reading]) -> None:
    everything = shown(page)
    lane = page.locator('#strip button[data-dyad="CHN-USA"]')
    expect(lane).to_contain_text("China – United States")
    lane.click()
    expect(lane).to_have_attribute("aria-pressed", "true")
    expect(lane).to_be_focused()
    assert shown(page) == [r.sentence for r in readings if r.dyad == "CHN-USA"]
    page.locator('#strip button[data-dyad="IND-JPN"]').click()
    assert shown(page) == list(dict.fromkeys(r.sentence for r in readings if r.dyad in ("CHN-USA", "IND-JPN")))
    page.get_by_role("button", name="Show every pair").click()
    assert shown(page) == everything


def test_pairs_without_a_relationship_can_be_shown(visit: Visit, model: Detente) -> None:
    text = "Flights to China and Japan were late. Japan thanked India."
    (none,) = [r for r in model.label(text, include_none=True) if r.tone == "none"]
    page = visit()
    read(page, text)
    assert none.sentence not in shown(page)
    page.get_by_label("Also pairs without a relationship").check()
    assert none.sentence in shown(page)
    page.locator("#prose").get_by_text("Flights").click()
    expect(page.locator("#details .verdict")).to_contain_text("none")


def test_the_strip_goes_from_the_first_to_the_last_sentence(page: Page, readings: list[Reading]) -> None:
    lanes = page.locator(".lane-chart")
    warm = [r for r in readings if r.dyad == "JPN-USA"]
    lane = lanes.nth(page.locator(".lane-name .dyad").all_inner_texts().index("Japan – United States"))
    assert lane.locator(".dot").count() == len(warm)
    assert float((lane.locator(".dot").last.get_attribute("x") or "").rstrip("%")) == pytest.approx(90)  # the 5th of 5
    assert f"{warm[-1].tone} +{warm[-1].warmth:.2f}" in (lane.get_attribute("aria-label") or "")
    lane.locator(".dot").last.click()
    expect(page.locator(".sentence.pinned .words")).to_have_text(warm[-1].sentence)


def test_offsets_count_what_the_api_counts(visit: Visit, model: Detente) -> None:
    text = "🇯🇵🎌 Japan thanked India 🙏🏽 for its help. 😀😀 China condemned Japan’s 𝒏𝒆𝒘 law."
    page = visit()
    read(page, text)
    readings = model.label(text)
    assert shown(page) == [r.sentence for r in readings]
    assert page.locator("mark").all_inner_texts() == ["Japan", "India", "China", "Japan"]
    for nth, reading in enumerate(readings):
        page.locator(".sentence.read").nth(nth).click()
        assert "".join(page.locator(".sentence.active .cue").all_inner_texts()) == reading.cue != ""


HOSTILE = (
    "<script>window.hacked = 1</script> Japan thanked <img src=x onerror='window.hacked = 2'> India for its help. "
    '"><svg onload=window.hacked=3> China & Japan <b>signed</b> a pact.'
)


def test_an_article_is_never_html(visit: Visit) -> None:
    page = visit()
    read(page, HOSTILE)
    assert page.locator("#prose").inner_text().startswith("<script>window.hacked = 1</script>")
    for sentence in page.locator(".sentence.read").all():
        sentence.click()
        assert page.locator("#details q").count()
    page.get_by_role("button", name="PNG").first.click()
    assert page.locator("#article :is(script, img, b:not(.mentions b))").count() == 0
    assert page.evaluate("window.hacked") is None


def test_what_is_shown_is_saved(page: Page, readings: list[Reading]) -> None:
    page.locator('#strip button[data-dyad="JPN-USA"]').click()
    expected = [r.to_dict() for r in readings if r.dyad == "JPN-USA"]
    saved = json.loads(save(page, "JSON"))
    assert [(r["sentence"], r["tone"], r["mentions"]) for r in saved] == [
        (r["sentence"], r["tone"], r["mentions"]) for r in expected
    ]
    assert saved[0].keys() == expected[0].keys()
    rows = list(csv.DictReader(io.StringIO(save(page, "CSV").decode("utf-8-sig"), newline="")))
    assert [(r["sentence"], r["tone"], r["date"]) for r in rows] == [(r["sentence"], r["tone"], DATE) for r in expected]
    assert float(rows[0]["p_alliance_building"]) == pytest.approx(
        expected[0]["probabilities"]["alliance-building"], abs=0.002
    )
    png = save(page, "PNG")
    assert png.startswith(b"\x89PNG")
    wide, tall = struct.unpack(">II", png[16:24])
    assert wide == 1800
    assert tall > 500


def test_a_spreadsheet_finds_no_formula_in_what_is_saved(visit: Visit) -> None:
    page = visit()
    read(page, '=HYPERLINK("http://x.example","Japan thanked India.") It praised Japan.\n\n@SUM(1) China warned Japan.')
    rows = list(csv.DictReader(io.StringIO(save(page, "CSV").decode("utf-8-sig"), newline="")))
    assert len(rows) >= 2
    assert not [
        cell for row in rows for name, cell in row.items() if cell[:1] in "=+-@\t\r" and cell and name != "warmth"
    ]
    assert min(float(row["warmth"]) for row in rows) < 0  # a number stays one


def test_no_text_and_half_a_date_are_refused(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Read the article").click()
    expect(page.get_by_role("alert")).to_have_text(
        "There is no text yet: paste an article, or open one of the examples."
    )
    page.get_by_label("Article in English").fill("Japan thanked India.")
    page.locator("#date").press_sequentially("04")
    page.get_by_role("button", name="Read the article").click()
    expect(page.get_by_role("alert")).to_have_text("The date is not complete; finish it or clear it.")


def test_an_article_without_two_states_says_so(visit: Visit) -> None:
    page = visit()
    read(page, "It rained.")
    expect(page.locator("#details")).to_contain_text("No sentence of this text names two states")


def test_examples_are_read_and_are_those_of_the_seeds(visit: Visit) -> None:
    page = visit()
    for example in json.loads((ROOT / "infer/serve/web/examples.json").read_text("utf-8")):
        if page.locator("#compose").get_attribute("open") is None:
            page.locator("#compose summary").click()
        page.get_by_role("button", name=example["name"]).click()
        expect(page.locator("#compose-title")).to_contain_text(example["text"].splitlines()[0][:40])
        assert page.locator(".headline").count() == 1
        assert len({*page.locator(".sentence.read").evaluate_all("nodes => nodes.map(n => n.dataset.tone)")}) >= 3
    seed = (ROOT / "seeds/asia-trip.txt").read_text("utf-8")
    assert seed == json.loads((ROOT / "infer/serve/web/examples.json").read_text("utf-8"))[0]["text"]


def test_the_page_knows_the_codebooks_labels(visit: Visit) -> None:
    words = visit().evaluate(
        "import('/web/words.js').then(({ALL_TONES, WARMTH}) => ({tones: ALL_TONES, warmth: WARMTH}))"
    )
    assert {*words["tones"]} == {*TONES}
    assert words["warmth"] == dict(WARMTH)
