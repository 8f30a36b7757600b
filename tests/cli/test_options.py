"""The values of options that several commands share."""

import datetime

import pytest

from detente.cli.options import BadUsage, day


@pytest.mark.parametrize("text", ["2021-08-26", "26 August 2021", "August 26, 2021", "26/08/2021", "26.8.2021"])
def test_dates_in_words_and_figures(text: str) -> None:
    assert day(text) == datetime.date(2021, 8, 26)


def test_dates_that_can_be_two_days_are_refused() -> None:
    with pytest.raises(BadUsage, match=r"--date: '03/10/2021' is not a date; write it as 2021-03-10, 2021-03 or 2021$"):
        day("03/10/2021")
    assert day("") is None
