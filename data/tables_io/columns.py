"""Assign the columns of a corpus to the fields of a document, as configured or by common column names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final, Self

_TEXT: Final = (
    "text", "body", "content", "article", "sentence", "fulltext", "full_text", "article_text", "maintext", "body_text",
)  # fmt: skip

#: Common names of each column, the likeliest first. Two candidates for the text are an error.
NAMES: Final = {
    "text": _TEXT,
    "id": ("id", "doc_id", "document_id", "article_id", "uid", "guid", "url"),
    "date": (
        "date", "published", "publish_date", "published_at", "publishedat", "date_publish", "date_published",
        "pub_date", "pubdate", "publication_date", "datetime", "timestamp",
    ),
    "title": ("title", "headline"),
    "source": ("source", "outlet", "publisher", "source_name", "source_domain", "newspaper", "domain", "corpus"),
}  # fmt: skip


class SourceError(ValueError):
    """An error in the source of a corpus or its options; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns; empty names are detected by `NAMES`. `a.b` is the field b of the column a.

    Attributes:
        text: column of the article or sentence.
        id: column of the document's id.
        date: column of the date.
        title: column of the headline.
        source: column of the outlet.
    """

    text: str = ""
    id: str = ""
    date: str = ""
    title: str = ""
    source: str = ""

    @classmethod
    def of(cls, names: Mapping[str, str]) -> Self:
        """Build the column names from a mapping.

        Raises:
            SourceError: a key is unknown.
        """
        valid = [field.name for field in fields(cls)]
        if unknown := [name for name in names if name not in valid]:
            raise SourceError(f"{unknown[0]!r} is not what a column can hold; that is {', '.join(valid)}")
        return cls(**names)

    def among(self, names: Sequence[str], *, optional: bool = False) -> "Columns":
        """Return the names resolved against the existing columns; missing ones are empty.

        Args:
            names: existing columns.
            optional: whether a configured column other than the text may be missing, as in JSON.

        Raises:
            SourceError: a configured column is missing, or no column or several could be the text.
        """
        return _resolve(self, tuple(names), optional)


@lru_cache(maxsize=1024)
def _resolve(configured: Columns, names: tuple[str, ...], optional: bool) -> Columns:
    existing = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'}"
    by_norm: dict[str, str] = {}
    for name in names:
        by_norm.setdefault(name.strip().lower().replace(" ", "_").replace("-", "_"), name)
    chosen = {}
    for field, likely in NAMES.items():
        name = getattr(configured, field)
        if name:
            if name not in names and name.split(".")[0] not in names:
                if field == "text" or not optional:
                    raise SourceError(f"no column {name!r} for the {field}; {existing}")
                name = ""
        else:
            candidates = [by_norm[key] for key in likely if key in by_norm]
            if field == "text" and len(candidates) > 1:
                ambiguous = " and ".join(candidates)
                raise SourceError(f"the columns {ambiguous} could each be the text; name the one to read with --text")
            if field == "text" and not candidates:
                raise SourceError(f"no column that could be the text; {existing}; name it with --text")
            name = candidates[0] if candidates else ""
        chosen[field] = name
    return Columns(**chosen)


def pick(row: Mapping[str, Any], column: str) -> Any:
    """Return the value of a row in a column (`a.b` for nested fields), or None."""
    if not column or column in row:
        return row.get(column)
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
