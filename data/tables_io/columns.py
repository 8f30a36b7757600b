"""Which column of a corpus holds what: as the user says, or by the names that corpora use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final, Self

_TEXT: Final = (
    "text", "body", "content", "article", "sentence", "fulltext", "full_text", "article_text", "maintext", "body_text",
)  # fmt: skip

#: Names by what the column holds, the likeliest first. Of two that could be the text neither is taken.
NAMES: Final = {
    "text": _TEXT,
    "id": ("id", "doc_id", "document_id", "article_id", "uid", "guid", "url"),
    "date": (
        "date", "published", "publish_date", "published_at", "publishedat", "date_publish", "date_published",
        "pub_date", "pubdate", "publication_date", "datetime", "timestamp",
    ),
    "title": ("title", "headline"),
    "source": ("source", "outlet", "publisher", "source_name", "source_domain", "newspaper", "domain", "corpus"),
    "speaker": (),  # only as it is named: a column of this name may as well hold people
}  # fmt: skip


class SourceError(ValueError):
    """A corpus that can't be read as it was asked for; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; empty to go by `NAMES`. `a.b` is the field b of the column a.

    Attributes:
        text: the article or sentence.
        id: what the readings are to carry.
        date: of the article.
        title: its headline.
        source: its outlet.
        speaker: code of the state whose statement it is.
    """

    text: str = ""
    id: str = ""
    date: str = ""
    title: str = ""
    source: str = ""
    speaker: str = ""

    @classmethod
    def of(cls, names: Mapping[str, str]) -> Self:
        """Read names by what they hold.

        Raises:
            SourceError: a key is none of the attributes.
        """
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in names if name not in known]:
            raise SourceError(f"{unknown[0]!r} is not what a column can hold; that is {', '.join(known)}")
        return cls(**names)

    def among(self, names: Sequence[str], *, optional: bool = False) -> "Columns":
        """Choose from the columns that there are; what isn't there is then empty.

        Args:
            names: of the columns.
            optional: whether a named column other than the text may be missing, as in JSON.

        Raises:
            SourceError: a column that was named is missing, or none or several could be the text.
        """
        return _among(self, tuple(names), optional)


@lru_cache(maxsize=1024)
def _among(asked: Columns, names: tuple[str, ...], optional: bool) -> Columns:
    there = f"there {'is' if len(names) == 1 else 'are'} {_listed(names)}"
    by_norm: dict[str, str] = {}
    for name in names:
        by_norm.setdefault(name.strip().lower().replace(" ", "_").replace("-", "_"), name)
    chosen = {}
    for what, likely in NAMES.items():
        name = getattr(asked, what)
        if name:
            if name not in names and name.split(".")[0] not in names:
                if what == "text" or not optional:
                    raise SourceError(f"no column {name!r} for the {what}; {there}")
                name = ""
        else:
            candidates = [by_norm[key] for key in likely if key in by_norm]
            if what == "text" and len(candidates) > 1:
                both = " and ".join(candidates)
                raise SourceError(f"the columns {both} could each be the text; name the one to read with --text")
            if what == "text" and not candidates:
                raise SourceError(f"no column that could be the text; {there}; name it with --text")
            name = candidates[0] if candidates else ""
        chosen[what] = name
    return Columns(**chosen)


def _listed(names: Sequence[str]) -> str:
    """Name the columns, of very many or very long ones only the first."""
    text = ", ".join(name[:80] for name in names[:30]) or "none"
    return f"{text} and {len(names) - 30} more" if len(names) > 30 else text


def pick(row: Mapping[str, Any], column: str) -> Any:
    """Return what a row holds in a column, None where it has none."""
    if not column or column in row:
        return row.get(column)
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
