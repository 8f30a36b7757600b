"""Dates as corpora write them, to ISO 8601 no more exact than they were given."""

import datetime
import email.utils
import re

from detente.infer.readings.document import read_date

#: Forms that can be read in one way only; a day and a month in figures alone (03/10/2021) can't.
_FORMS = ("%Y%m%d", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%d-%b-%Y", "%Y/%m/%d")
_TIME = re.compile(r"[ T]\d{1,2}:\d\d.*")


def iso(value: object, form: str = "") -> str | None:
    """Return a date as `2021-03-10`, `2021-03` or `2021`; None where there is none.

    Args:
        value: a date, a time, or text: ISO 8601, `20210310`, `10 March 2021`, `March 10, 2021`, `10-MAR-1987`, or as
            in mail (`Wed, 10 Mar 2021 08:00:00 GMT`), each with or without a time.
        form: of `strptime`, the only one that text is then read by.

    Raises:
        ValueError: it is no date.
    """
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    if form:
        try:
            return datetime.datetime.strptime(text, form).date().isoformat()
        except ValueError:
            raise ValueError(f"{text!r} is not a date of the form {form}") from None
    try:
        day = read_date(text)
    except ValueError as error:
        day = _other(text)
        if day is None:
            raise ValueError(f"{text!r} is not a date that can be read in one way only; say how with a form") from error
    return None if day is None else day.isoformat()[: len(text) if len(text) in (4, 7) else 10]


def _other(text: str) -> datetime.date | None:
    plain = _TIME.sub("", text).replace(",", " ").replace(".", " ")
    plain = " ".join(plain.split())
    for form in _FORMS:
        try:
            return datetime.datetime.strptime(plain, form).date()
        except ValueError:
            continue
    try:
        return email.utils.parsedate_to_datetime(text).date()
    except ValueError:
        return None
