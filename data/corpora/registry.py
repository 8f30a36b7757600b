"""The registry of corpora: description, licence, source, and the files of each split."""

from dataclasses import dataclass
from typing import Final

_PLV: Final = "https://raw.githubusercontent.com/snowood1/Zero-Shot-PLOVER/3a57c8466bc55c2f3351f771d4cbd860c7004130"
_DSE: Final = (
    "https://raw.githubusercontent.com/bywords/directed_sentiment_analysis/a8e7510b71fe017b38d83ca5b54bdf3d136c97c2"
)
_MTSC: Final = "https://raw.githubusercontent.com/fhamborg/NewsMTSC"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a corpus.

    Attributes:
        path: path relative to the folder of corpora.
        url: download address; empty if the file is not public.
        sha256: digest of the download, followed by those of other copies with the same rows.
        packaged: whether the package contains the file; its path is then relative to the folder of this module.
    """

    path: str
    url: str = ""
    sha256: tuple[str, ...] = ()
    packaged: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A corpus.

    Attributes:
        name: name on the command line.
        what: description of the rows.
        licence: licence stated by the source.
        source: address of the source.
        citation: paper to cite; empty if there is none.
        splits: file of each split. If `train` and `dev` share a file, `dev` is a sample of its sentences.
        labelled: whether the rows are `Example`s rather than plain texts.
        has_splits: whether the file of labels assigns the splits; if not, a shared file is divided by sentence.
    """

    name: str
    what: str
    licence: str
    source: str
    citation: str
    splits: dict[str, File]
    labelled: bool = True
    has_splits: bool = False

    @property
    def files(self) -> tuple[File, ...]:
        """The files without duplicates, in the order of the splits."""
        return tuple(dict.fromkeys(self.splits.values()))

    @property
    def public(self) -> bool:
        """Whether all files can be downloaded."""
        return all(file.url for file in self.files)


_PLV_TRAIN = File(
    "corpora/plv/PLV_train.tsv",
    f"{_PLV}/datasets/PLV_train.tsv",
    ("b184c7623cb05a48011adabd951f1a7f7efa8c80059ef4dc12c3d3231de5f5d3",),
)
_PLV_TEST = File(
    "corpora/plv/PLV_test.tsv",
    f"{_PLV}/datasets/PLV_test.tsv",
    (
        "416b773df637a9fe9bd1a038a0f7a98281c0d6dd7278b0667218ddb03e84e9dc",
        # A later commit only renamed the first column from "Unnamed: 0" to "uid".
        "1eaa0cf1e82b2cb7214f5de02975e42dbc8548baf2034f9d7058416a8627df1a",
    ),
)
# The file names differ between the folders of the repository; the texts are those of the published archive.
_MTSC_TRAIN = File(
    "corpora/newsmtsc/train.jsonl",
    f"{_MTSC}/6697904d6b6ba6da61b17041106e94e4561e448d/controller_data/datasets/NewsMTSC-dataset/train.jsonl",
    ("fb80ff05993dd59016c36abefaa7bd00d77cb0cb38a781c1f9edd9ad7c61471e",),
)
_MTSC_MT = File(
    "corpora/newsmtsc/devtest_mt.jsonl",
    f"{_MTSC}/6054fd1bd7dcbb6d57e33bd1a31e65a407cd5fa0/DeepNewsSentiment/controller_data/datasets/"
    "newsmtsc-train-and-test-mt/devtest_mtsc_only.jsonl",
    ("f7657900083bc12f41f1dcd7f19ae5b3eec87844da5eeb22d07ee916fe83a865",),
)
_MTSC_RW = File(
    "corpora/newsmtsc/devtest_rw.jsonl",
    f"{_MTSC}/ea6766fc8fa02fc6b2aeb26ee63707e24790c506/NewsSentiment/controller_data/datasets/"
    "newsmtsc-train-and-test-rw/devtest_mtsc_and_single_primaries.jsonl",
    ("c915d6461625cc610a43fd0bac7a25dddfc1252e1331a4bfb7cc30e75b35982a",),
)
_TRANSFER = File("corpora/transfer/sentences.parquet")
_NEWSROOM = File("corpora/newsroom/articles.parquet")

ENTRIES: Final = (
    Entry(
        name="detente",
        what="sentences written for this project in the manner of news, labelled by the codebook, with contrast pairs",
        licence="Apache-2.0",
        source="",
        citation="",
        splits={"train": File("corpus.jsonl", packaged=True)},
    ),
    Entry(
        name="plv",
        what="sentences with a source and a target actor, by PLOVER root (15) and quad class; no neutral class",
        licence="none stated",
        source="https://github.com/snowood1/Zero-Shot-PLOVER",
        citation="Hu, Skorupa Parolin, Khan, Brandt, Osorio and D'Orazio: Leveraging Codebook Knowledge with NLI and "
        "ChatGPT for Zero-Shot Political Relation Classification, ACL 2024, arXiv:2308.07876",
        splits={"train": _PLV_TRAIN, "dev": _PLV_TRAIN, "test": _PLV_TEST},
    ),
    Entry(
        name="dse",
        what="sentences with two marked entities p and q: who is positive or negative about whom; train has 1,611 "
        "rows twice, and test shares 400 rows with it",
        licence="free to use, cite the paper",
        source="https://github.com/bywords/directed_sentiment_analysis",
        citation="Park, Pan and Joo: Who Blames or Endorses Whom? Entity-to-Entity Directed Sentiment Extraction in "
        "News Text, Findings of ACL 2021, arXiv:2106.01033",
        splits={
            "train": File(
                "corpora/dse/train.txt",
                f"{_DSE}/dataset/train.txt",
                ("0b608a7e376bcd73aad9f0f211d0c29e5fe520a281d1d4b3f5e4e37a20a0636b",),
            ),
            "dev": File(
                "corpora/dse/valid.txt",
                f"{_DSE}/dataset/valid.txt",
                ("e4bd17fd9f419acd034912de9bfc746a7e400d84496e6082cd18e30b4cedface",),
            ),
            "test": File(
                "corpora/dse/test.txt",
                f"{_DSE}/dataset/test.txt",
                ("a1dcda253f3741e5d66018cad7dc757350c853be7d905a11fd707eb708c847d0",),
            ),
        },
    ),
    Entry(
        name="newsmtsc",
        what="news sentences by their sentiment towards one target, mostly a person",
        licence="MIT for its own files; sentences from news",
        source="https://github.com/fhamborg/NewsMTSC",
        citation="Hamborg and Donnay: NewsMTSC: (Multi-)Target-dependent Sentiment Classification in News Articles, "
        "EACL 2021",
        splits={"train": _MTSC_TRAIN, "dev": _MTSC_TRAIN, "test_mt": _MTSC_MT, "test_rw": _MTSC_RW},
    ),
    Entry(
        name="annotations",
        what="real news sentences labelled by the codebook, one row per sentence and dyad; the test rows have no "
        "labels and are reserved: never train on them",
        licence="that of each source; text of newspapers and agencies among them: research use, not for publication",
        source="",
        citation="",
        splits={
            "train": File("annotations/train.jsonl"),
            "dev": File("annotations/dev.jsonl"),
            "test": File("annotations/test_unlabelled.jsonl"),
        },
    ),
    Entry(
        name="codings",
        what="sentences of `transfer`, most of them ones that a model was unsure of, labelled by the codebook; the "
        "package carries the labels, the text is that of `transfer`",
        licence="labels: Apache-2.0; text: as `transfer`",
        source="",
        citation="",
        splits={"train": _TRANSFER, "dev": _TRANSFER},
    ),
    Entry(
        name="newsroom",
        what="whole news articles of 213 outlets, every pair of states in every sentence labelled by the codebook, "
        "with the second-best tone where the reader was unsure; the package carries the labels",
        licence="labels: Apache-2.0; text: that of each outlet, research use, not for publication",
        source="",
        citation="",
        splits={"train": _NEWSROOM, "dev": _NEWSROOM},
        has_splits=True,
    ),
    Entry(
        name="events",
        what="sentences of `transfer` with a source and a target state, by PLOVER root (15) and quad class; carried as "
        "`codings` are",
        licence="labels: Apache-2.0; text: as `transfer`",
        source="",
        citation="",
        splits={"train": _TRANSFER},
    ),
    Entry(
        name="transfer",
        what="unlabelled sentences that mention at least two states, 1945-2026, for distillation",
        licence="that of each source; text of newspapers and agencies among them: research use, not for publication",
        source="",
        citation="",
        splits={"all": _TRANSFER},
        labelled=False,
    ),
    Entry(
        name="articles",
        what="whole articles with dates: Reuters-21578 (1987), White House (2021-2026)",
        licence="Reuters-21578: research use only; White House: CC0, US government text",
        source="",
        citation="",
        splits={"all": File("corpora/articles/articles.parquet")},
        labelled=False,
    ),
)
