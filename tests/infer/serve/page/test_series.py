"""The second tab reads a file of articles and draws the series that `detente.series` makes of it."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

import detente
from detente.data.tables_io.columns import NAMES
from detente.infer.label.labeler import Detente
from detente.infer.readings.document import Document
from detente.infer.serve.limits import Limits
from detente.models.model_dir import resolve
from tests.helpers.page import Visit
from tests.helpers.serving import served

WEB = Path(__file__).resolve().parents[4] / "infer/serve/web"
ARTICLES = [json.loads(line) for line in (WEB / "dispatches.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def page(visit: Visit) -> Page:
    page = visit()
    page.get_by_role("tab", name="Series").click()
    return page


def give(page: Page, name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    page.get_by_label("File of dated articles").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": data}
    )


def draw(page: Page) -> None:
    page.get_by_role("button", name="Draw the series").click()
    page.locator("#series-result").wait_for()


def rows(page: Page) -> list[dict[str, str]]:
    """The table that stands for the chart."""
    if page.locator(".table-details").get_attribute("open") is None:
        page.get_by_text("The figures as a table").click()
    names = page.locator("#chart-table th[scope=col]").all_inner_texts()
    cells = page.locator("#chart-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return [dict(zip(names, row, strict=True)) for row in cells]


def as_csv(articles: Sequence[dict[str, Any]], **names: str) -> str:
    out = io.StringIO()
    fields = ["id", "date", "source", "title", "text"]
    table = csv.writer(out)
    table.writerow([names.get(field, field) for field in fields])
    table.writerows([article[field] for field in fields] for article in articles)
    return out.getvalue()


def test_the_example_is_drawn_as_detente_series_has_it(page: Page, model: Detente) -> None:
    page.get_by_role("button", name="Open the example").click()
    page.locator("#series-result").wait_for()
    documents = [Document.from_record({k: a[k] for k in ("id", "date", "title", "text")}) for a in ARTICLES]
    frame = detente.series(zip(documents, model.label_many(documents), strict=True), period="quarter")
    frame = frame[frame["dyad"] == "CHN-USA"]
    told = [row for row in rows(page) if row["pair"] == "China – United States"]
    assert [row["period"] for row in told] == [f"{day.year} Q{day.quarter}" for day in frame["period"]]
    assert [int(row["sentences"]) for row in told] == [*frame["sentences"]]
    assert [float(row["warmth"].replace("−", "-")) for row in told] == pytest.approx([*frame["warmth"]], abs=0.011)
    assert page.locator("#chart canvas").count() == 1
    expect(page.locator('#chart-dyads [aria-pressed="true"]').first).to_contain_text("China – United States")
    seeds = (WEB.parents[2] / "seeds/dispatches.jsonl").read_text("utf-8").splitlines()
    assert {*(WEB / "dispatches.jsonl").read_text("utf-8").splitlines()} <= {*seeds}


def test_a_csv_as_spreadsheets_write_it(page: Page) -> None:
    articles = [{**a, "text": a["text"].replace(". ", '.\n"So it is", they said. ')} for a in ARTICLES[:6]]
    content = as_csv(articles, date="Published At", text="Body")
    give(page, "news.csv", b"\xef\xbb\xbf" + content.encode())
    expect(page.locator("#file-found")).to_have_text(re.compile(r"^6 articles, \d+ \w+ 2021 to"))
    page.get_by_label("Mean per").select_option("year")
    draw(page)
    assert {row["period"] for row in rows(page)} == {"2021"}


def test_other_forms_of_a_file(page: Page) -> None:
    some = [{**a, "text": a["text"].replace(";", ",")} for a in ARTICLES[:5]]
    forms = {
        2: "date\ttext\n" + "".join(f"{a['date']}\t{a['text']}\n" for a in some[:2]),
        3: "date;text\n" + "".join(f'{a["date"]};"{a["text"]}"\n' for a in some[:3]),
        4: "\n\n".join(json.dumps({"published": f"{a['date']}T12:00Z", "content": a["text"]}) for a in some[:4]),
        5: json.dumps(some),
    }
    for count, content in forms.items():
        give(page, "news.txt", content)
        expect(page.locator("#file-found")).to_contain_text(f"{count} articles")


REFUSED: list[tuple[str | bytes, str]] = [
    ("", "bad.csv is empty."),
    (
        "day,text\n1,2\n",
        "No column for the date: there are day, text. Name it date, published, publish_date or the like.",
    ),
    (
        "date,words\n2021,x\n",
        "No column for the text: there are date, words. Name it text, body, content or the like.",
    ),
    ("date,text,body\n2021,x,y\n", "The columns text and body could each be the text; rename one of them."),
    (
        "date,text\n2021-03-10,x\nlast week,y\n",
        "Article 2: “last week” is not a date; write it as 2021-03-10, 2021-03 or 2021.",
    ),
    ("date,text\n,x\n", "Article 1: no date; write it as 2021-03-10, 2021-03 or 2021."),
    (
        'date,text\n2021,"x\n2022,y\n',
        "Row 2: Quoted field unterminated. Is a cell with commas or quotes not quoted?",
    ),
    (
        "date,text\n2021,a,b\n",
        "Row 2: Too many fields: expected 2 fields but parsed 3. Is a cell with commas or quotes not quoted?",
    ),
    (
        '{"date": "2021", "text": "x"}\nnonsense\n',
        'Line 2 is not JSON; write one article a line, as {"date": "2021-03-10", "text": "…"}.',
    ),
    ("[1]", 'Item 1 is not an object such as {"date": "2021-03-10", "text": "…"}.'),
    ("date,text\n2021,\n", "The column text is empty in every row."),
    ("date,text\n", "bad.csv holds no articles."),
    (b"date,text\n2021,caf\xe9\n", "bad.csv is not text in UTF-8; save it as “CSV UTF-8” or the like."),
]


def test_a_file_that_cannot_be_read_is_refused_in_one_line(page: Page) -> None:
    for content, told in REFUSED:
        give(page, "bad.csv", content)
        expect(page.get_by_role("alert")).to_have_text(told)
        expect(page.locator("#file-found")).to_be_hidden()


def test_text_from_a_file_is_never_html(page: Page) -> None:
    attack = "<img src=x onerror=window.hacked=1>"
    give(page, f"{attack}.csv", f"date,text,{attack}\n{attack},x,y\n")
    expect(page.get_by_role("alert")).to_contain_text(f"“{attack}” is not a date")
    give(page, f"{attack}.csv", f"{attack}\nx\n")
    expect(page.get_by_role("alert")).to_contain_text(f"there is {attack}")
    assert page.locator("main img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_nothing_to_draw_is_said(page: Page) -> None:
    page.get_by_role("button", name="Draw the series").click()
    expect(page.get_by_role("alert")).to_have_text("There is no file yet: choose one, or open the example.")
    give(page, "dull.csv", "date,text\n2021,It rained.\n")
    page.get_by_role("button", name="Draw the series").click()
    expect(page.get_by_role("alert")).to_contain_text("there is nothing to draw")


def test_dyads_periods_and_what_is_saved(page: Page) -> None:
    give(page, "news.csv", as_csv(ARTICLES))
    draw(page)
    chips = page.locator("#chart-dyads button")
    chips.get_by_text("China – Taiwan").click()
    assert {row["pair"] for row in rows(page)} == {"China – United States"}
    page.get_by_label("Mean per").select_option("month")
    expect(page.locator("#chart-title")).to_have_text("Mean warmth by month")
    shown = rows(page)
    assert re.fullmatch(r"\w{3,4} 202\d", shown[0]["period"])
    for kind in ("JSON", "CSV", "PNG"):
        with page.expect_download() as download:
            page.locator("#series").get_by_role("button", name=kind).click()
        saved = Path(download.value.path()).read_bytes()
        if kind == "JSON":
            assert [row["sentences"] for row in json.loads(saved)] == [int(row["sentences"]) for row in shown]
        elif kind == "CSV":
            table = list(csv.DictReader(io.StringIO(saved.decode("utf-8-sig"), newline="")))
            assert {row["dyad"] for row in table} == {"CHN-USA"}
            assert len(table) == len(shown)
        else:
            assert saved.startswith(b"\x89PNG")


def test_arrows_tell_period_after_period(page: Page) -> None:
    give(page, "news.csv", as_csv(ARTICLES))
    draw(page)
    chart = page.get_by_role("group", name="Mean warmth by quarter")
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#spoken")).to_contain_text("2021 Q1: China – United States −0.")
    page.keyboard.press("End")
    expect(page.locator("#spoken")).to_contain_text("2023 Q4: China – United States +0.")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#readout")).to_contain_text("2023 Q3")


def test_a_stopped_reading_goes_on_where_it_was(page: Page) -> None:
    asked: list[list[str]] = []

    def slow(route: Route) -> None:
        asked.append([item["id"] for item in json.loads(route.request.post_data or "")["items"]])
        if len(asked) == 2:
            page.get_by_role("button", name="Stop").click(no_wait_after=True)
            route.abort()
        else:
            route.continue_()

    give(page, "news.csv", as_csv(ARTICLES))
    page.route("**/v1/batch", slow)
    page.get_by_role("button", name="Draw the series").click()
    expect(page.locator("#status")).to_have_text("Stopped.")
    page.get_by_role("button", name="Draw the series").click()
    page.locator("#series-result").wait_for()
    ids = [article["id"] for article in ARTICLES]
    assert asked == [ids[:16], ids[16:], ids[16:]]


def test_a_busy_server_is_asked_again(page: Page) -> None:
    answers = iter([429, 200, 200])

    def busy(route: Route) -> None:
        if next(answers) == 429:
            route.fulfill(status=429, json={"error": "64 requests are in hand"}, headers={"Retry-After": "0.05"})
        else:
            route.continue_()

    page.route("**/v1/batch", busy)
    page.get_by_role("button", name="Open the example").click()
    page.locator("#series-result").wait_for()
    assert next(answers, None) is None


def test_more_readings_than_the_server_sums_up_at_once(visit: Visit, model: Detente, page: Page) -> None:
    give(page, "news.csv", as_csv(ARTICLES))
    draw(page)
    everything = page.locator("#chart-dyads button").all_inner_texts()
    with served(model, resolve(None), limits=Limits(readings=44)) as address:
        small = visit(address)
        small.get_by_role("tab", name="Series").click()
        asked: list[str] = []
        small.on("request", lambda request: asked.append(request.url))
        give(small, "news.csv", as_csv(ARTICLES))
        draw(small)
        assert small.locator("#chart-dyads button").all_inner_texts() == everything
        assert rows(small) == rows(page)
        assert len([url for url in asked if url.endswith("/v1/series")]) == 2


def test_columns_are_guessed_as_detente_score_does(page: Page) -> None:
    names = page.evaluate("import('/web/columns.js').then((module) => module.NAMES)")
    assert {what: tuple(likely) for what, likely in names.items()} == {
        k: likely for k, likely in NAMES.items() if likely
    }
