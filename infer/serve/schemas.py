"""What goes over the wire: requests as they are checked, answers as they are described."""

import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, WithJsonSchema, model_validator

from detente.infer.readings.document import Document
from detente.infer.series.series import PERIODS

#: Dyads that one request may name.
MOST_DYADS: Final = 100

#: Outlets that one request may name.
MOST_SOURCES: Final = 1000

#: Characters of an id (a URL fits), a title, an outlet's name, a date.
LONGEST_ID: Final = 500
LONGEST_TITLE: Final = 2000
LONGEST_SOURCE: Final = 200
LONGEST_DATE: Final = 64


def _one_of(*values: str) -> Any:
    """Return a string type that has these values only."""

    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"should be one of {', '.join(values)}")
        return value

    return Annotated[str, AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(values)})]


Code = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3; EUU the EU, NAT NATO")]
Pair = Annotated[list[Code], Field(fail_fast=True, min_length=2, max_length=2)]
Dyads = Annotated[
    list[Pair],
    Field(
        fail_fast=True, max_length=MOST_DYADS, description="exactly these are labelled, in this order, in each sentence"
    ),
]
Id = Annotated[str, Field(max_length=LONGEST_ID)]
Title = Annotated[str, Field(max_length=LONGEST_TITLE)]
Source = Annotated[str, Field(max_length=LONGEST_SOURCE)]
Date = Annotated[str, Field(max_length=LONGEST_DATE)]
Probability = Annotated[float, Field(ge=0, le=1)]
Warmth = Annotated[float, Field(ge=-1, le=1)]


class Asked(BaseModel):
    """A part of a request: types as JSON has them, and no key that isn't known."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Text(Asked):
    """One sentence or a whole article."""

    text: str = Field(description="offsets in the readings count its Unicode code points")
    date: Date | None = Field(None, description="2021-03-10, 2021-03 or 2021: who was in office then")
    title: Title = Field("", description='the article\'s title, which "the two countries" may point to')
    id: Id = Field("", description="carried by the readings")
    speaker: str = Field("", max_length=3, description="code of the state whose statement it is: its we and our")
    dyads: Dyads | None = None
    include_none: bool = Field(False, description="keep the pairs found that come out as none")
    min_probability: Probability = Field(0.0, description="abstain: leave out less probable tones")
    groups: bool | Literal["all"] = Field(
        True, description="false: no pairs that rest on a group's name; all: the members of looser groups too (G7)"
    )
    explain: bool = Field(False, description="say why: the words that weigh, labelled sentences that read alike")

    def document(self) -> Document:
        """Return the document that is to be labelled.

        Raises:
            ValueError: the text is empty, the date is none, or a dyad isn't two known states.
        """
        return Document.from_record(self.model_dump(include={"text", "date", "title", "id", "speaker", "dyads"}))


class Batch(Asked):
    """Many texts."""

    items: Annotated[list[Text], Field(fail_fast=True)]


class Article(Asked):
    """A dated article of a series."""

    text: str
    date: Date = Field(description="2021-03-10, 10 March 2021, 2021-03 …")
    title: Title = ""
    id: Id = ""
    source: Source | None = Field(None, description="the outlet")


class DatedReading(BaseModel):
    """A reading as `/v1/label` gives it, with its article's date; other keys are left alone."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

    id: Id = Field("", description="readings with the same id share a document; those without have one each")
    date: Date | None
    source: Source | None = None
    dyad: str = Field(pattern=r"^[A-Z]{3}-[A-Z]{3}$")
    tone: str = Field(description="one of the model's labels")
    warmth: float | None
    direction: str | None = None
    by_group: bool | None = None
    probabilities: dict[str, Probability] | None = None
    model: Id | None = None


class Series(Asked):
    """Readings or articles, and how they are to be summed up; the options are those of `detente.series`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["readings"]}, {"required": ["articles"]}]})

    readings: Annotated[list[DatedReading], Field(fail_fast=True)] = Field([])
    articles: Annotated[list[Article], Field(fail_fast=True)] = Field([])
    period: _one_of(*PERIODS) = "month"  # type: ignore[valid-type]
    dyads: Dyads | None = None
    sources: Annotated[list[Source], Field(fail_fast=True, max_length=MOST_SOURCES)] | None = None
    since: Date | None = Field(None, description="the first day, month or year")
    until: Date | None = Field(None, description="the last day, month or year")
    min_probability: Probability = 0.0
    groups: bool = Field(True, description="whether readings count that rest on a group's name alone")
    source_cap: Annotated[float, Field(ge=0, le=1, description="the most one source may weigh")] = 1.0
    smooth: Annotated[int, Field(ge=1, le=99, description="periods to smooth over, an odd number")] = 1

    @model_validator(mode="after")
    def _one_kind(self) -> "Series":
        if len(self.model_fields_set & {"readings", "articles"}) != 1:
            raise ValueError("give either readings or articles")
        return self


class Reading(RootModel[dict[str, Any]]):
    """A reading; the server describes it by the one schema that it has everywhere, for the labels of its model."""


Span = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)]


class Answer(BaseModel):
    """A part of an answer; every key is there."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Labelled(Answer):
    """The readings of one text."""

    model: str = Field(description="name and version", examples=["detente-mini 0.1.0"])
    readings: list[Reading] = Field(description="by sentence, then by dyad")
    sentences: list[Span] = Field(description="start and end of every sentence of the text", examples=[[[0, 37]]])


class Result(BaseModel):
    """The readings of one text of a batch, or why there are none."""

    model_config = ConfigDict(extra="forbid")

    id: str
    readings: list[Reading] | None = None
    error: str | None = None


class Results(Answer):
    """The results of a batch, in the order of its items."""

    model: str
    results: list[Result]


class Row(Answer):
    """A dyad in a period; see `detente.series`."""

    model_config = ConfigDict(extra="allow")

    dyad: str
    period: datetime.date = Field(description="its first day")
    warmth: Warmth = Field(description="mean expected warmth")
    low: Warmth | None = Field(description="95 % bootstrap interval over documents; null where there is only one")
    high: Warmth | None
    sentences: int
    documents: int
    sources: int
    frosty: Probability
    neutral: Probability
    engaging: Probability
    alliance_building: Probability
    balance: Warmth
    mutual: Probability
    by_group: Probability | None = Field(description="part that rests on a group's name; null where it isn't told")
    thin: bool = Field(description="fewer than 5 documents")


class Summed(Answer):
    """A series."""

    model: str
    series: list[Row]
    about: dict[str, Any] = Field(description="how it was made, and how many readings were read or had no date")


class Model(Answer):
    """What is known of the model."""

    name: str
    version: str
    detente: str = Field(description="version of the package")
    codebook: str = Field(description="version of the codebook that the tones follow")
    labels: dict[str, list[str]] = Field(description="by head, in order")
    warmth: dict[str, float] = Field(description="of each tone")
    states: dict[str, str] = Field(description="name of each state's code")
    limits: dict[str, float]
    metrics: list[dict[str, str]] = Field(description="rows of the report in its card, as they stand there")
    card: str = Field(description="Markdown; empty where the model has none")


class Wrong(Answer):
    """Why a request was not answered."""

    error: str = Field(description="one line", examples=["text: Field required"])


class State(Answer):
    """Of the server."""

    status: str = Field(examples=["ok"])
