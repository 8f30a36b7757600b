"""Dates as corpora write them, to ISO 8601 no more exact than they were given."""

import datetime
import email.utils
import math
import re
from typing import Final

from detente.infer.readings.document import brief, read_date

#: Forms that can be read in one way only.
_FORMS: Final = ("%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%d-%b-%Y", "%Y/%m/%d")

#: Seconds since 1970 of 2001 to 2030: fewer figures may be anything, more may be a day and an hour (2030010100).
_SECONDS: Final = range(1_000_000_000, 1_893_456_000)

_TIME = re.compile(r"[ T]\d{1,2}:\d\d.*")
_TIMESTAMP = re.compile(r"(\d{10})(?:\d{3}|\d{6}|\d{9})?(?:\.\d*)?")
_MONTH = re.compile(r"(\d{4})(\d\d)")
_FIGURES = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")


def iso(value: object, form: str = "") -> str | None:
    """Return a date as `2021-03-10`, `2021-03` or `2021`; None where there is none.

    Args:
        value: a date, a time, or text: ISO 8601, `20210310`, `202103`, `10 March 2021`, `March 10, 2021`,
            `10-MAR-1987`, `26/08/2021` (where the day can't be the month), or as in mail
            (`Wed, 10 Mar 2021 08:00:00 GMT`), each with or without a time; or seconds, milliseconds, microseconds or
            nanoseconds since 1970, from 2001 to 2029, whose day is that in UTC.
        form: of `strptime`, the only one that text is then read by.

    Raises:
        ValueError: it is no date, or it may be two.
    """
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    text = _text(value)
    if not text:
        return None
    if form:
        try:
            return datetime.datetime.strptime(text, form).date().isoformat()
        except ValueError:
            raise ValueError(f"{brief(text)} is not a date of the form {form}") from None
    if month := _MONTH.fullmatch(text):
        if _strptime(text, "%y%m%d"):  # 200512 is December 2005, or 12 May 2020
            raise _unclear(text, "%Y%m")
        text = "-".join(month.groups())
    try:
        day = read_date(text)
    except ValueError as error:
        day = _other(text)
        if day is None:
            raise _unclear(text) if "week" not in str(error) else error from None
    return None if day is None else day.isoformat()[: len(text) if len(text) in (4, 7) else 10]


def _text(value: object) -> str:
    if isinstance(value, float):  # a column of whole numbers in which some are missing
        return "" if math.isnan(value) else f"{value:.0f}" if value.is_integer() else str(value)
    return "" if value is None else str(value).strip()


def _other(text: str) -> datetime.date | None:
    if match := _TIMESTAMP.fullmatch(text):
        seconds = int(match[1])
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date() if seconds in _SECONDS else None
    time_off = " ".join(_TIME.sub("", text).split())
    if match := _FIGURES.fullmatch(time_off):
        return _day_or_month_first(*match.groups())
    plain = " ".join(time_off.replace(",", " ").replace(".", " ").split())
    for form in _FORMS:
        if day := _strptime(plain, form):
            return day
    try:
        return email.utils.parsedate_to_datetime(text).date()
    except ValueError:
        return None


def _day_or_month_first(first: str, mark: str, second: str, year: str) -> datetime.date | None:
    """Read a date in figures where only one of the two orders gives a day, or both give the same."""
    days = {_strptime(f"{day} {month} {year}", "%d %m %Y") for day, month in ((first, second), (second, first))}
    days.discard(None)
    if len(days) > 1:
        raise _unclear(mark.join((first, second, year)), f"%d{mark}%m{mark}%Y")
    return days.pop() if days else None


def _strptime(text: str, form: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text, form).date()
    except ValueError:
        return None


def _unclear(text: str, form: str = "%d/%m/%Y") -> ValueError:
    return ValueError(f"{brief(text)} is not a date that can be read in one way only; say how: --date-format {form}")
