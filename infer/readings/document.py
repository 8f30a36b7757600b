"""What is to be labelled: a text with its date, its title and the dyads that are asked for."""

import datetime
import re
import reprlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from detente.data.gazetteer import gazetteer

#: A dyad as two codes, in alphabetical order.
Dyad = tuple[str, str]

_PART_OF_DATE = re.compile(r"(\d{4})(?:-(\d\d))?")
_WEEK = re.compile(r"\d{4}-?W\d\d", re.IGNORECASE)

#: Writes a value into a message, its middle left out where it is long.
_BRIEFLY = reprlib.Repr()
_BRIEFLY.maxstring = _BRIEFLY.maxother = 80

_KEYS = ("id", "text", "date", "title", "speaker", "dyads")


@dataclass(frozen=True, slots=True)
class Document:
    """A text and what is known of it; `Document.of` reads the parts as users write them.

    Attributes:
        text: one sentence or a whole article.
        date: of the article; it picks the holder of an office and the members of a group.
        title: of the article; "the two countries" may point to it.
        dyads: the dyads to label in each sentence, in this order; None for every dyad that a sentence holds.
        id: whatever the readings are to carry.
        speaker: the state whose statement the text is: its "we" and "our" outside quotation marks; empty for none.
    """

    text: str
    date: datetime.date | None = None
    title: str = ""
    dyads: tuple[Dyad, ...] | None = None
    id: str = ""
    speaker: str = ""

    def __post_init__(self) -> None:
        for name, value in (("text", self.text), ("title", self.title), ("id", self.id)):
            if isinstance(value, str) and not value.isascii():
                try:
                    value.encode()
                except UnicodeEncodeError as error:
                    raise ValueError(
                        f"{name} has half a character at offset {error.start} ({value[error.start]!a}), which is no "
                        "Unicode text; decode it with errors='replace'"
                    ) from None

    @classmethod
    def of(
        cls,
        text: str,
        *,
        date: str | datetime.date | None = None,
        title: str = "",
        dyads: Iterable[Sequence[str]] | None = None,
        id: str = "",
        speaker: str = "",
    ) -> Self:
        """Check the parts and read them.

        Raises:
            ValueError: the date, a dyad or the speaker is invalid, or a part is not Unicode text.
            TypeError: the text, the title or the speaker is not a string.
        """
        for name, value in (("text", text), ("title", title), ("speaker", speaker)):
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a string, not {type(value).__name__}")
        if speaker and speaker not in gazetteer.tables().states:
            raise ValueError(f"speaker {speaker!r} is not a known state; `detente states` lists the codes")
        return cls(text, read_date(date), title, None if dyads is None else read_dyads(dyads), id, speaker)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read a JSON record `{"id", "text", "date"?, "title"?, "speaker"?, "dyads"?}`; other keys are left alone.

        Raises:
            ValueError: `text` is missing or empty, or a part is malformed.
            TypeError: a part has the wrong type.
        """
        if not isinstance(record, Mapping):
            raise TypeError(f"a record must be a JSON object, not {type(record).__name__}")
        if record.get("text") is None:
            raise ValueError("the record has no text; give it a string under 'text'")
        parts = {key: value for key in _KEYS if (value := record.get(key)) is not None}
        document = cls.of(**{**parts, "id": str(parts.get("id", ""))})
        if not document.text.strip():
            raise ValueError("the text is empty")
        return document


def brief(value: object) -> str:
    """Return a value as a message shows it, its middle left out where it is long."""
    return _BRIEFLY.repr(value)


def read_date(value: str | datetime.date | None) -> datetime.date | None:
    """Read a day, a time or a month or year, which is taken by its middle; empty text is no date.

    Raises:
        ValueError: it is no date.
        TypeError: it is no string and no date.
    """
    if isinstance(value, datetime.datetime):
        return value.date()
    if value is None or isinstance(value, datetime.date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"date must be a string or a datetime.date, not {type(value).__name__}")
    text = value.strip()
    if not text:
        return None
    if _WEEK.fullmatch(text):
        raise ValueError(f"{brief(value)} is not a date: it names a week; write a day, a month or a year")
    try:
        if match := _PART_OF_DATE.fullmatch(text):
            year, month = match.groups()
            return datetime.date(int(year), int(month or 7), 15 if month else 1)
        # In digits alone Python takes the ninth for a separator, and so a timestamp for a day of centuries ago.
        return datetime.datetime.fromisoformat("" if len(text) > 8 and text.isdigit() else text).date()
    except ValueError:
        raise ValueError(f"{brief(value)} is not a date; write it as 2021-03-10, 2021-03 or 2021") from None


def read_dyads(pairs: Iterable[Sequence[str]], known: Collection[str] | None = None) -> tuple[Dyad, ...]:
    """Read pairs of state codes (`("USA", "CHN")` or `"CHN-USA"`), each in any order.

    Args:
        pairs: the pairs.
        known: codes that count; None for those of the tables.

    Raises:
        ValueError: a pair isn't two different known codes.
        TypeError: it is no list of pairs.
    """
    states = gazetteer.tables().states if known is None else known
    if isinstance(pairs, str | Mapping) or not isinstance(pairs, Iterable):
        raise TypeError(f'dyads must be a list of pairs such as [["CHN", "USA"]], not {brief(pairs)}')
    dyads = []
    for pair in pairs:
        codes = pair.split("-") if isinstance(pair, str) else pair
        if not isinstance(codes, Sequence) or len(codes) != 2 or not all(isinstance(code, str) for code in codes):
            raise ValueError(f"{brief(pair)} is not a dyad; write two state codes, such as CHN-USA")
        for code in codes:
            if code not in states:
                raise ValueError(f"{brief(code)} is not a known state; `detente states` lists the codes")
        first, second = sorted(codes)
        if first == second:
            raise ValueError(f"the dyad {first}-{second} names the same state twice")
        dyads.append((first, second))
    return tuple(dyads)
