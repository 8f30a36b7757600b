"""Words that point back: "the two countries", "both sides", "his Japanese counterpart"."""

from datetime import date

import pytest

from detente.infer.linking.linker import linker


def pointing(text: str, *, day: str = "", title: str = "") -> dict[str, list[str]]:
    """The context mentions of a text: words to states."""
    found: dict[str, list[str]] = {}
    for m in linker().link(text, date=date.fromisoformat(day) if day else None, title=title):
        if m.how == "context":
            found.setdefault(text[m.start : m.end], []).append(m.state)
    return found


@pytest.mark.parametrize(
    ("text", "words", "states"),
    [
        ("Peru and Chile signed a treaty, and the two countries will share the water.", "two countries", "CHL PER"),
        ("Norway met Sweden's envoy. The two governments agreed on fish.", "two governments", "NOR SWE"),
        ("Laos and Thailand quarrel. Rain fell. Both sides want a map.", "Both sides", "LAO THA"),
        ("Egypt asked Sudan for water. Ethiopia was silent. The weather held.", "", ""),
        ("Kenya and Uganda met in Rome. The two neighbours shook hands.", "two neighbours", "KEN UGA"),
        ("France hoped that Mali or Niger would pay. The two nations did.", "two nations", "MLI NER"),
        ("Japan, South Korea and the United States met. The three allies drilled.", "three allies", "JPN KOR USA"),
        ("Iran spoke. Oman listened. Both countries were tired.", "Both countries", "IRN OMN"),
        ("The two countries will meet.", "", ""),
        ("Both sides of the aisle in Canada and Mexico agreed.", "", ""),
        ("Two countries, Peru and Chile, left.", "", ""),
        ("Spain, Italy, Malta, Cyprus and Greece met. The two countries objected.", "", ""),
        ("Bolivia and Peru met, and the two landlocked neighbours prayed.", "two landlocked neighbours", "BOL PER"),
    ],
)  # fmt: skip
def test_two_countries(text: str, words: str, states: str) -> None:
    assert pointing(text) == ({words: states.split()} if words else {})


@pytest.mark.parametrize(
    ("text", "words", "states"),
    [
        ("Barack Obama rose. The president wants peace with Peru.", "president", "USA"),
        ("John Kerry rose. The Secretary thanked Peru.", "Secretary", "USA"),
        ("David Cameron rose. Peru thanked the prime minister.", "prime minister", "GBR"),
        ("Angela Merkel rose. Peru thanked the chancellor.", "chancellor", "DEU"),
        ("Angela Merkel rose. Peru thanked the president.", "", ""),
        ("Barack Obama and Francois Hollande rose. The president sat.", "", ""),
        ("Barack Obama rose. The president of the club and the President Hotel sat.", "", ""),
        ("Barack Obama rose. A president sat.", "", ""),
        ("The president sat. Barack Obama rose.", "", ""),
        ("Peruvian envoy Ana Quiroz rose. Quiroz sat. The envoy ate.", "envoy", "PER"),
        ("Barack Obama rose. Angela Merkel sat. The spokesman ate.", "", ""),
    ],
)
def test_people_by_their_office(text: str, words: str, states: str) -> None:
    assert pointing(text, day="2014-06-01") == ({words: states.split()} if words else {})


@pytest.mark.parametrize(
    ("text", "words", "states"),
    [
        ("Peru met Chile. The leaders agreed on water.", "leaders", "CHL PER"),
        ("Peru met Chile. Then the foreign ministers spoke.", "ministers", "CHL PER"),
        ("Peru met Chile. The two men agreed on water.", "two men", "CHL PER"),
        ("Peru met Chile. Both parties agreed on water.", "Both parties", "CHL PER"),
        ("Peru met Chile. Both parties in Congress agreed on water.", "", ""),
        ("Peru met Chile. The two agreed on water.", "two", "CHL PER"),
        ("Peru met Chile. The leaders of the strike agreed.", "", ""),
        ("Peru met Chile, Cuba and Fiji. The leaders agreed.", "", ""),
        ("Peru met Chile. Rain fell. It fell again. The leaders agreed.", "", ""),
        ("Leaders agreed. Peru met Chile.", "", ""),
    ],
)
def test_plurals_without_a_number(text: str, words: str, states: str) -> None:
    assert pointing(text) == ({words: states.split()} if words else {})


def test_the_first_sentence_helps_where_those_before_do_not() -> None:
    text = "Ghana and Togo opened a bridge. Rain fell on Mali, Chad, Niger and Gabon. Both countries were glad."
    assert pointing(text) == {"Both countries": ["GHA", "TGO"]}


def test_the_chain_goes_on() -> None:
    text = "India met Nepal. The two countries talked. The two sides then ate. Both leaders slept."
    assert pointing(text) == {words: ["IND", "NPL"] for words in ("two countries", "two sides", "Both leaders")}


def test_the_headline_helps() -> None:
    text = "Officials of both countries were late."
    assert pointing(text, title="Ghana and Togo open a bridge") == {"both countries": ["GHA", "TGO"]}
    assert pointing(text) == {}


@pytest.mark.parametrize(
    ("text", "day", "states"),
    [
        ("The world's two largest economies agreed.", "2019-10-11", ["CHN", "USA"]),
        ("The world's two largest economies agreed.", "1992-01-08", ["JPN", "USA"]),
        ("The world's two largest economies agreed.", "", ["CHN", "USA"]),
        ("The two superpowers agreed.", "1987-12-08", ["RUS", "USA"]),
        ("The two Koreas agreed.", "2018-04-27", ["KOR", "PRK"]),
    ],
)
def test_dated_phrases(text: str, day: str, states: list[str]) -> None:
    assert list(pointing(text, day=day).values()) == [states]


def test_counterpart() -> None:
    day = "2022-05-23"
    within = "Joe Biden called his Japanese counterpart."
    assert pointing(within, day=day) == {}
    across = "Joe Biden landed late. Aides said that he would see his Japanese counterpart today."
    assert pointing(across, day=day) == {"his": ["USA"]}
    assert pointing("He would see his Japanese counterpart today.", day=day) == {}
