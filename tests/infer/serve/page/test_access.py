"""The page is for everyone: by keyboard, on a phone, with a screen reader, by day and by night. It fails clearly."""

from typing import Literal

import pytest
from playwright.sync_api import Route, expect

from detente.infer.label.labeler import Detente
from detente.infer.serve.limits import Limits
from detente.models.model_dir import resolve
from tests.helpers.page import KEY, Visit, keep, read, violations
from tests.helpers.serving import served

TEXT = "Japan thanked India for its help. China condemned the United States. Tokyo and Washington signed a pact."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(visit: Visit, scheme: Literal["light", "dark"], width: int) -> None:
    page = visit(width=width, color_scheme=scheme, has_touch=width < 500, reduced_motion="reduce")
    assert violations(page) == []
    page.get_by_role("button", name="A first trip to Asia").click()
    page.locator(".sentence.read").nth(6).click()
    keep(page, f"article-{width}-{scheme}", whole=width > 500)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#strip button").first.click()
    page.get_by_label("Also pairs without a relationship").check()
    assert violations(page) == []
    page.get_by_role("tab", name="Series").click()
    assert violations(page) == []
    page.get_by_role("button", name="Open the example").click()
    page.locator("#series-result").wait_for()
    page.get_by_text("The figures as a table").click()
    keep(page, f"series-{width}-{scheme}")
    assert violations(page) == []


def test_axe_finds_nothing_where_things_go_wrong(visit: Visit, locked: str) -> None:
    page = visit(locked, ready=False)
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("alert").wait_for()
    assert violations(page) == []


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("tab", name="Article")).to_be_focused()
    press("ArrowRight")
    expect(page.get_by_role("tab", name="Series")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Series")).to_be_visible()
    page.reload()
    expect(page.get_by_role("tabpanel", name="Series")).to_be_visible()  # the address says so
    press("Tab")
    press("ArrowRight")  # round
    expect(page.get_by_role("tabpanel", name="Article")).to_be_visible()
    press("Tab")
    press("Tab")  # past the summary
    expect(page.get_by_role("button", name="A first trip to Asia")).to_be_focused()
    for _ in range(3):
        press("Tab")
    page.keyboard.type(TEXT)
    for _ in range(8):  # the date's parts and its calendar, then the button
        if page.evaluate("document.activeElement.id") == "label":
            break
        press("Tab")
    press("Enter")
    expect(page.locator("#compose summary")).to_be_focused()
    for _ in range(20):
        press("Tab")
        if page.evaluate("document.activeElement.classList.contains('sentence')"):
            break
    sentences = page.locator(".sentence.read")
    expect(sentences.nth(0)).to_be_focused()
    expect(page.locator("#details h3")).to_have_text("India – Japan")
    press("ArrowDown")
    press("ArrowRight")
    expect(sentences.nth(2)).to_be_focused()
    press("Home")
    press("ArrowDown")
    press("Enter")
    details = page.get_by_role("region", name="The sentence in detail")
    expect(details).to_be_focused()
    expect(details).to_contain_text("China → United States")
    press("Escape")
    expect(sentences.nth(1)).to_be_focused()
    expect(page.locator(".sentence.active")).to_have_count(0)


def test_on_a_phone(visit: Visit) -> None:
    page = visit(width=360, height=740, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page.get_by_role("button", name="A state visit").tap()
    page.locator("#article-result").wait_for()
    details = page.locator("#details")
    expect(details).to_be_hidden()
    sentence = page.locator(".sentence.read").nth(3)
    sentence.tap()
    expect(details).to_be_in_viewport()
    expect(details.locator("h3")).to_have_text("Japan – United States")
    below, above = sentence.bounding_box(), details.bounding_box()
    assert below
    assert above
    assert below["y"] + below["height"] <= above["y"] + 1  # the sentence is still seen
    details.get_by_role("button", name="Close").tap()
    expect(details).to_be_hidden()
    for tab in ("Article", "Series"):
        page.get_by_role("tab", name=tab).tap()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Open the example").tap()
    page.locator("#series-result").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    short = page.locator("button:visible").evaluate_all(
        "nodes => nodes.filter(n => n.getBoundingClientRect().height < 40)"
    )
    assert short == []


def test_nothing_moves_for_those_who_asked_for_that(visit: Visit) -> None:
    for motion, seconds in (("reduce", "0s"), ("no-preference", "0.14s")):
        page = visit(reduced_motion=motion)
        read(page, TEXT)
        expect(page.locator(".sentence").first).to_have_css("transition-duration", seconds)
        expect(page.locator("#details")).to_have_css("transition-duration", seconds)


def test_what_happens_is_said(visit: Visit) -> None:
    page = visit()
    read(page, TEXT)
    status = page.locator("#status[role=status]")
    expect(status).to_have_text("3 sentences, 3 readings.")
    page.locator("#strip button").first.click()
    expect(status).to_have_text("Showing 1 pair of states.")
    with page.expect_download():
        page.get_by_role("button", name="CSV").first.click()
    expect(status).to_have_text("Saved as detente-readings.csv.")


def test_a_server_that_wants_a_key(visit: Visit, locked: str) -> None:
    page = visit(locked, ready=False)
    dialog = page.get_by_role("dialog", name="This server asks for an API key")
    dialog.get_by_label("API key").fill("not the right one at all")
    dialog.get_by_label("API key").press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The server did not accept this key.")
    page.keyboard.press("Escape")
    expect(page.locator("#article-error")).to_have_text(
        "The server asks for an API key; without one it answers nothing."
    )
    page.get_by_label("Article in English").fill(TEXT)
    page.get_by_role("button", name="Read the article").click()
    dialog.get_by_label("API key").fill(KEY)
    dialog.get_by_role("button", name="Use the key").click()
    expect(page.locator(".sentence.read")).to_have_count(3)
    expect(page.locator("#strip button").first).to_contain_text("China – United States")
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])") == '[{},{},""]'
    assert page.locator("#key").input_value() == ""


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (429, '{"error": "64 requests are in hand; ask again later"}', "64 requests are in hand; ask again later."),
        (504, '{"error": "not done within 60 s"}', "Not done within 60 s."),
        (502, "<h1>a proxy's page</h1>", "The server answered 502 Bad Gateway."),
    ],
)
def test_a_server_that_says_no(visit: Visit, status: int, said: str, told: str) -> None:
    page = visit()
    page.route("**/v1/label", lambda route: route.fulfill(status=status, body=said))
    page.get_by_label("Article in English").fill(TEXT)
    page.get_by_role("button", name="Read the article").click()
    expect(page.get_by_role("alert")).to_have_text(told)
    expect(page.get_by_role("button", name="Read the article")).to_be_enabled()


def test_the_servers_own_limits_are_told(visit: Visit, model: Detente) -> None:
    with served(model, resolve(None), limits=Limits(characters=100)) as address:
        page = visit(address)
        page.get_by_label("Article in English").fill(TEXT)
        page.get_by_role("button", name="Read the article").click()
        expect(page.get_by_role("alert")).to_have_text(
            f"The text has {len(TEXT)} characters, more than the limit of 100."
        )
    page.get_by_role("button", name="Read the article").click()  # it has stopped by now
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")


def test_behind_a_proxy_with_a_path(visit: Visit, server: str) -> None:
    page = visit()

    def forward(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace("/tools/detente/", "/")))

    page.route("**/tools/detente/**", forward)
    page.goto(f"{server}/tools/detente/")
    page.get_by_text("Model detente-mini").wait_for()
    read(page, TEXT)
    expect(page.locator(".sentence.read")).to_have_count(3)
