"""The linker: what is a mention, how far it reaches, what is no state, who is in office."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.infer.linking import evaluation
from detente.infer.linking.linker import Linker, linker
from detente.infer.linking.mentions import Mention, dyads

MARKED = Path(__file__).with_name("marked.jsonl")


def link(text: str, day: str = "", **more: object) -> list[str]:
    """The mentions of a text, as `state:words`."""
    found = linker().link(text, date=date.fromisoformat(day) if day else None, **more)  # type: ignore[arg-type]
    return [f"{m.state}:{text[m.start : m.end]}" for m in found]


def test_the_marked_set() -> None:
    total = evaluation.check(MARKED).total
    assert total.precision >= 0.98
    assert total.recall >= 0.95


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The United States and the Netherlands met.", ["USA:United States", "NLD:Netherlands"]),
        ("China's envoy saw U.S.-led troops.", ["CHN:China", "USA:U.S."]),
        ("US and Chinese officials", ["USA:US", "CHN:Chinese"]),
        ("A Franco-German plan, a Sino-Indian one", ["FRA:Franco", "DEU:German", "CHN:Sino", "IND:Indian"]),
        ("US-China talks; Japan–Peru trade", ["USA:US", "CHN:China", "JPN:Japan", "PER:Peru"]),
        ("anti-American mobs", ["USA:American"]),
        ("They told us of it, over turkey.", []),
        ("the People's Republic of China", ["CHN:People's Republic of China"]),
        ("the Republic of China", ["TWN:Republic of China"]),
        ("the Democratic People’s Republic of Korea", ["PRK:Democratic People’s Republic of Korea"]),
        ("the DPRK", ["PRK:DPRK"]),
        ("the Republic of Korea and Guinea-Bissau", ["KOR:Republic of Korea", "GNB:Guinea-Bissau"]),
        ("U.S. State Department officials at the Pentagon", ["USA:U.S.", "USA:State Department", "USA:Pentagon"]),
        ("Beijing, China, and the Kremlin", ["CHN:Beijing", "CHN:China", "RUS:Kremlin"]),
        ("the Élysée, the Elysee and São Tomé", ["FRA:Élysée", "FRA:Elysee", "STP:São Tomé"]),
        ("the Philippine Senate; the U.S. Senate", ["PHL:Philippine", "USA:U.S.", "USA:Senate"]),
        ("Chinese Foreign Ministry", ["CHN:Chinese"]),
        ("United\nStates and South\nKorea", ["USA:United\nStates", "KOR:South\nKorea"]),
        ("Niger, Nigeria, Nigerians, Romans, Omani", ["NER:Niger", "NGA:Nigeria", "NGA:Nigerians", "OMN:Omani"]),
        ("@China and Chinatown and Iranianness", []),
    ],
)  # fmt: skip
def test_names(text: str, found: list[str]) -> None:
    assert link(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "the Treaty of Lisbon, the Vienna Convention and the Tokyo currency accord",
        "the Seoul Declaration of 2010, the Beijing Treaty, the Bogota peace process",
        "It cost 40 mln Australian dlrs, US$3 million or 5 million Swiss francs.",
        "paid in Saudi riyals, in Canadian dollars and in Japanese yen",
        "the Jakarta Post, Cathay Pacific and Malaysia Airlines",
        "They sold Bolivian Tin Holdings Ltd and a hall of the Lisbon Philharmonic Orchestra.",
        "the Islamic State of Iraq and Syria",
        "towns such as Athens, Georgia, and Lima, Ohio",
        "the Gulf of Oman, the South China Sea and the Sea of Japan",
        "the Jordan Valley, the Congo River and New England",
        "Greek Cypriots, ethnic Russians and ethnic Serbs and Hungarians",
        "a German-speaking guide, fluent in Spanish, and a French-language paper",
        "Chinese food, a German shepherd and Brussels sprouts",
        "Michael Jordan, Jordan Peele and Paris Hilton met Chad Smith.",
        "Mr. France and Mrs. English left with Dr. Ireland.",
        "the Korean War and the Spanish Civil War",
        "It may become another Vietnam, a second Switzerland.",
        "the former Yugoslavia and former Soviet republics",
        "TELL US ABOUT IT, SAY FARMERS",
        "GOOD NEWS FOR US, SAY FARMERS",
        "The senators from Georgia and Alabama voted.",
        "a man of Turkish descent",
        "Turkey with gravy was served.",
        "the Riga Group, the Riga peace talks and the Riga II plan",
        "Inspectors flew to Vienna, judges to The Hague.",
        "an Arab NATO, a NATO-like pact",
        "She is fluent in Spanish, Greek, Thai and Russian.",
        "The Senate sat and Congress voted.",
        "England bowled well at the World Cup.",
        "the German Marshall Fund and Ain al-Assad",
    ],
)
def test_what_is_no_state(text: str) -> None:
    assert link(text, "2015-06-01") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MANILA (Reuters) - Peru sold ships.", ["PER:Peru"]),
        ("NEW DELHI, March 4 (Xinhua) -- India said no.", ["IND:India"]),
        ("News\n\nOSLO, May 1 – Norway left.", ["NOR:Norway"]),
        ("MOSCOW REJECTS KABUL OFFER", ["RUS:MOSCOW", "AFG:KABUL"]),
        ("JAPAN TO IMPORT MORE FROM US, TOKYO SAYS", ["JPN:JAPAN", "USA:US", "JPN:TOKYO"]),
        ("Georgia and Armenia opened the border.", ["GEO:Georgia", "ARM:Armenia"]),
        ("Brussels fined a bank.", ["EUU:Brussels"]),
        ("They met in Brussels.", ["BEL:Brussels"]),
        ("NATO ministers met in Brussels.", ["NAT:NATO"]),
        ("Lebanon sent troops to Tripoli.", ["LBN:Lebanon"]),
        ("Jamaica said that Kingston would pay.", ["JAM:Jamaica", "JAM:Kingston"]),
        ("Kingston would pay.", []),
        ("Manila's debt accord", ["PHL:Manila"]),
        ("a Chinese national of Beijing", ["CHN:Chinese", "CHN:Beijing"]),
        ("Pyongyang smiled, but the North fired.", ["PRK:Pyongyang", "PRK:North"]),
        ("Pyongyang looked at the North Sea and due North.", ["PRK:Pyongyang"]),
        ("Winds from the North blew.", []),
        ("Pyongyang praised Korean miners.", ["PRK:Pyongyang", "PRK:Korean"]),
        ("Pyongyang and Seoul praised Korean miners.", ["PRK:Pyongyang", "KOR:Seoul", "KOR:Korean"]),
        ("Austria said that Vienna would pay.", ["AUT:Austria", "AUT:Vienna"]),
        ("The United States said that Congress would pay.", ["USA:United States", "USA:Congress"]),
        ("the Baltic states", ["EST:Baltic states", "LTU:Baltic states", "LVA:Baltic states"]),
        ("France, Italy, Georgia and Fiji", ["FRA:France", "ITA:Italy", "GEO:Georgia", "FJI:Fiji"]),
        ("England sent an envoy to Peru.", ["GBR:England", "PER:Peru"]),
        ("S. Africa and the S. African rand", ["ZAF:S. Africa"]),
        ("Moscow-Riga talks", ["RUS:Moscow", "LVA:Riga"]),
        ("Europe has agreed to pay Peru.", ["EUU:Europe", "PER:Peru"]),
        ("Prices in Europe have fallen, and most of Europe is glad.", []),
        ("The United States paid, the administration said.", ["USA:United States", "USA:the administration"]),
        ("The administration of the estate was long.", []),
        ("Iran's Supreme National Security Council", ["IRN:Iran", "IRN:Supreme National Security Council"]),
        ("troops near Gaza City and Rafah", ["PSE:Gaza City"]),
    ],
)
def test_by_the_words_around(text: str, found: list[str]) -> None:
    assert link(text, "2015-06-01") == found


@pytest.mark.parametrize(
    ("text", "day", "found"),
    [
        ("Peking and Saigon", "1975-01-01", ["CHN:Peking", "VNM:Saigon"]),
        ("shops in Saigon", "2010-01-01", []),
        ("West Germany, Burma, Zaire", "1987-01-01", ["DEU:West Germany", "MMR:Burma", "COD:Zaire"]),
        ("the USSR", "1987-01-01", ["RUS:USSR"]),
        ("Yugoslavia", "1987-01-01", []),
        ("Yugoslavia", "1999-04-01", ["SRB:Yugoslavia"]),
        ("Congo", "1990-01-01", ["COG:Congo"]),
        ("Congo", "2010-01-01", ["COD:Congo"]),
        ("the EC and the EEC", "1987-05-01", ["EUU:EC", "EUU:EEC"]),
    ],
)  # fmt: skip
def test_old_names(text: str, day: str, found: list[str]) -> None:
    assert link(text, day) == found


@pytest.mark.parametrize(
    ("text", "day", "found"),
    [
        ("Margaret Thatcher met Mikhail Gorbachev.", "1987-03-31", ["GBR:Margaret Thatcher", "RUS:Mikhail Gorbachev"]),
        ("Margaret Thatcher wrote a book.", "1995-01-01", []),
        ("Prime Minister Abe called.", "2014-04-01", ["JPN:Abe"]),
        ("Abe called.", "2014-04-01", []),
        ("Shinzo Abe called. Abe was glad.", "2014-04-01", ["JPN:Shinzo Abe", "JPN:Abe"]),
        ("Abe Wallach and Prime Minister Abe called.", "2014-04-01", ["JPN:Abe"]),
        ("the Reagan administration's record", "1999-01-01", ["USA:Reagan"]),
        ("Laura Bush and Jeb Bush met President Bush.", "2005-01-01", ["USA:Bush"]),
        ("the Ronald Reagan Library and USS Ronald Reagan", "1987-01-01", []),
        ("Chancellor Gerhard Schröder and Manfred Wörner", "1999-05-01", ["DEU:Gerhard Schröder"]),
        ("Manfred Wörner spoke.", "1990-05-01", ["NAT:Manfred Wörner"]),
        ("President Joseph R. Biden arrived.", "2022-05-01", ["USA:Joseph R. Biden"]),
        ("Trump and Xi talked.", "2018-12-01", ["USA:Trump", "CHN:Xi"]),
        ("They left the JCPOA. Zarif was sorry.", "2018-05-10", ["IRN:Zarif"]),
        ("They spoke to J. Zarif and Rep. Zarif.", "2018-05-10", []),
        ("Balakrishnan flew to Fiji.", "2022-05-01", ["SGP:Balakrishnan", "FJI:Fiji"]),
        ("Slovak Prime Minister Fico came.", "2024-03-01", ["SVK:Slovak", "SVK:Fico"]),
        ("Mr Kanaani told the press so.", "2023-03-01", ["IRN:Kanaani"]),
        ("Antony Blinken", "", ["USA:Antony Blinken"]),
        ("former Secretary of State Antony Blinken", "", []),
        ("Obama spoke a week after leaving.", "2017-01-27", ["USA:Obama"]),
        ("Obama spoke a year after leaving.", "2018-01-27", []),
    ],
)
def test_people_in_office(text: str, day: str, found: list[str]) -> None:
    assert link(text, day) == found


def test_the_title_introduces_people() -> None:
    assert link("Baker flew home.", "1990-05-01", title="James Baker ends trip") == ["USA:Baker"]
    assert link("Baker flew home.", "1990-05-01") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Peruvian army spokesman Tomas Quiroz left. Then Quiroz came back.", ["PER:Peruvian", "PER:Quiroz"]),
        ("Peru's deputy minister for Trade and Mines Ana Quiroz sat. Ms Quiroz rose.", ["PER:Peru", "PER:Quiroz"]),
        ("Ana Quiroz, Peru's envoy to the talks, sat. Quiroz rose.", ["PER:Peru", "PER:Quiroz"]),
        ("Chinese ministry spokeswoman Bo Lanying sat. Bo rose.", ["CHN:Chinese", "CHN:Bo"]),
        ("The former Peruvian minister Ana Quiroz sat. Quiroz rose.", ["PER:Peruvian"]),
        ("The Peruvian singer Ana Quiroz sat. Quiroz rose.", ["PER:Peruvian"]),
        ("Peruvian minister Ana Quiroz sat. Pedro Quiroz and Quiroz Street rose.", ["PER:Peruvian"]),
        ("Peruvian minister Ana Quiroz met Fijian envoy Joe Quiroz. Quiroz rose.", ["PER:Peruvian", "FJI:Fijian"]),
        ("Quiroz sat. The Peruvian minister Ana Quiroz rose.", ["PER:Peruvian"]),
        ("Peru on Tuesday named a minister of Foreign Affairs. Affairs went on.", ["PER:Peru"]),
    ],
)  # fmt: skip
def test_people_that_the_text_introduces(text: str, found: list[str]) -> None:
    assert link(text, "2015-06-01") == found


def test_groups() -> None:
    day = date(2021, 9, 24)
    found = linker().link("The Quad faced China.", date=day)
    assert found[0] == Mention(4, 8, "AUS", "group", "quad")
    assert ("JPN", "USA") in dyads(found, linker().outward)
    assert [m.state for m in linker().link("The G7 faced Iran.", date=day)] == ["IRN"]
    found = linker().link("The G7 faced Iran.", date=day, every_group=True)
    assert ("IRN", "JPN") in dyads(found, linker().outward)
    assert {pair for pair in dyads(found, linker().outward) if "IRN" not in pair} == set()
    assert link("ASEAN met.") == []
    assert link("ASEAN met.", wanted={"THA", "FRA"}) == ["THA:ASEAN"]
    assert link("NATO and the EU met.", wanted={"FRA"}) == ["NAT:NATO", "EUU:EU"]


def test_own_tables_can_be_given() -> None:
    assert Linker().link("Peru") == linker().link("Peru")


WORDS = st.sampled_from([
    *("China", "the U.S.", "US", "Japan's", "French", "Sino-", "Paris", "President", "Kim", "Xi Jinping", "both sides"),
    *("the two countries", "Georgia", "Jordan", "accord", "dollars", "TOKYO (AP) -", "Congress", "his", "counterpart"),
    *(".", ",", "\n", "\n\n", "é", "🙂", "\x00"),
])  # fmt: skip
TEXT = st.lists(WORDS, max_size=12).map(" ".join)


@given(st.one_of(st.text(), TEXT), st.none() | st.dates(date(1980, 1, 1), date(2030, 1, 1)))
def test_offsets_and_order(text: str, day: date | None) -> None:
    found = linker().link(text, date=day)
    assert found == sorted(found) == linker().link(text, date=day)
    for m in found:
        assert 0 <= m.start < m.end <= len(text)
        assert text[m.start : m.end].strip() == text[m.start : m.end]


@settings(max_examples=200)
@given(TEXT, TEXT)
def test_later_paragraphs_change_nothing_before(first: str, second: str) -> None:
    longer = [m for m in linker().link(f"{first}.\n\n{second}") if m.how != "context" and m.end <= len(first)]
    ended = [m for m in linker().link(f"{first}.\n\n") if m.how != "context" and m.end <= len(first)]
    assert longer == ended


@pytest.mark.parametrize(
    "unit", ["China and Japan met. ", "US ", "Kingston ", "Georgia ", "President Kim ", "both sides ", "a"]
)
@pytest.mark.timeout(120)  # a quadratic rule would take hours
def test_long_lines_are_read(unit: str) -> None:
    linker().link(unit * (200_000 // len(unit)))


def test_brackets_are_read() -> None:
    text, mentions = evaluation.unmark("[USA:name|U.S.] and [CHN+RUS:context|both] met")
    assert text == "U.S. and both met"
    assert mentions == (
        Mention(0, 4, "USA", "name"),
        Mention(9, 13, "CHN", "context"),
        Mention(9, 13, "RUS", "context"),
    )


@pytest.mark.parametrize("line", ["{", '{"id": "a"}', '{"id": "a", "date": null, "kind": "x", "marked": "[US|no]"}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "marked.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match=r"marked\.jsonl:1: "):
        evaluation.load(path)


def test_the_report_lists_every_error(tmp_path: Path) -> None:
    path = tmp_path / "marked.jsonl"
    path.write_text(
        '{"id": "a", "date": null, "kind": "x", "marked": "Peru met [CHN:name|Xyz] and [FRA:name|France]"}', "utf-8"
    )
    report = evaluation.check(path)
    assert (report.total.right, report.total.wrong, report.total.missed) == (1, 1, 1)
    assert [error.outcome for error in report.errors] == ["wrong", "missed"]
    assert any("P 0.500" in line for line in report.lines())


@pytest.mark.parametrize(
    ("text", "day", "states"),
    [
        (
            "One after another Britain, Germany and France said they would join the bank.",
            "2015-03-17",
            {"GBR", "DEU", "FRA"},
        ),
        ("It would be another Vietnam, the senator said.", "2004-04-05", set()),
        ("The mood of the Obama-Abe meeting was warm.", "2016-12-27", {"JPN", "USA"}),
        ("Envoys said that Gaddafi's diplomats would leave London.", "2011-07-27", {"LBY", "GBR"}),
    ],
)
def test_found_where_it_was_missed(text: str, day: str, states: set[str]) -> None:
    """Sentences of the project's corpus in which a state was missed, put in other words."""
    assert {m.state for m in linker().link(text, date=date.fromisoformat(day))} == states


def test_a_territory_is_found_where_it_is_asked_for() -> None:
    text = "Hong Kong said on Monday that Britain had been told."
    assert link(text) == ["GBR:Britain"]
    assert link(text, wanted=["HKG"]) == ["HKG:Hong Kong", "GBR:Britain"]
