"""Sentences worth labelling: how they are chosen, and what is written for those who label them."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from detente.data.annotation.label_studio import marked, page
from detente.data.codebook.label_schema import Scheme, Variable
from detente.infer.corpus.reader import Corpus
from detente.infer.label.labeler import Detente, load
from detente.train.sampling.candidate_pool import draw
from detente.train.sampling.uncertainty import choose, margin

SEED = Path(__file__).resolve().parents[3] / "seeds" / "dispatches.jsonl"
ODD = Scheme((Variable(name='a "b" & <c>', kind="nominal", labels=("yes & no", "<b>")),))


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Detente:
    return load(tiny_model)


def test_a_marked_sentence_is_safe_html() -> None:
    assert marked("<i>China & U.S.", [(3, 8), (11, 15), (3, 8)]) == (
        "&lt;i&gt;<mark>China</mark> &amp; <mark>U.S.</mark>"
    )


def test_the_page_is_xml_with_every_label() -> None:
    view = ElementTree.fromstring(page(ODD))
    (choices,) = view.iter("Choices")
    assert choices.get("name") == 'a "b" & <c>'
    assert [c.get("value") for c in choices] == ["yes & no", "<b>"]
    assert len({c.get("hotkey") for c in choices}) == 2
    with pytest.raises(ValueError, match="can't be called 'date'"):
        page(Scheme((Variable(name="date", kind="nominal", labels=("a", "b")),)))


def test_unsure_and_diverse_and_balanced() -> None:
    random = np.random.default_rng(0)
    assert margin(np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0]])).tolist() == pytest.approx([1.0, 0.2])
    unsure = random.random(200)
    apart = random.normal(size=(200, 64))
    one = ["a"] * 200
    assert choose(unsure, one, apart, 5) == np.argsort(-unsure)[:5].tolist()
    assert sorted(choose(unsure, one, apart, 500)) == list(range(200))

    said = ["a"] * 190 + ["b"] * 10
    assert sum(said[row] == "b" for row in choose(unsure, said, apart, 10)) == 5, "as many of each label"
    assert len(set(choose(unsure, said, apart, 60))) == 60, "where one label has too few, others fill up"

    alike = np.repeat(np.eye(8), 25, axis=0) + random.normal(0, 0.01, (200, 8))
    assert sorted(row // 25 for row in choose(unsure, one, alike, 8)) == list(range(8)), "one of each kind"

    dyads = ["common"] * 180 + ["rare"] * 20
    sure_of_the_rare = np.r_[np.ones(180), np.zeros(20)] + unsure * 0.1
    chosen = choose(sure_of_the_rare, one, apart, 100, groups=[dyads])
    assert sum(dyads[row] == "rare" for row in chosen) == 10, "a dyad has its share"
    chosen = choose(-sure_of_the_rare, one, apart, 40, groups=[dyads])
    assert sum(dyads[row] == "rare" for row in chosen) == 10, "or, if that is more, what the root of its size gives it"


def test_every_unit_is_drawn_as_often(model: Detente) -> None:
    everything = draw(Corpus(SEED), model)
    assert everything.population == len(everything.units) == len({unit.id for unit in everything.units})
    drawn = [unit.id for seed in range(40) for unit in draw(Corpus(SEED), model, size=20, seed=seed).units]
    share = len(drawn) / 40 / everything.population
    often = np.array([drawn.count(unit.id) for unit in everything.units]) / 40
    assert abs(often - share).max() < 4.5 * (share * (1 - share) / 40) ** 0.5


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detente", *map(str, arguments)],
        capture_output=True, check=False, encoding="utf-8", timeout=300, env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip


def test_the_loop_on_the_command_line(tmp_path: Path, tiny_model: Path) -> None:
    book = tmp_path / "my.yaml"
    book.write_text("name: tone\nlabels: [none, frosty, neutral, engaging, alliance-building]\n", "utf-8")
    out = tmp_path / "tasks.json"
    ask = ("sample", SEED, "--codebook", book, "-n", "30", "--out", out, "--model", tiny_model)
    done = _run(*ask)
    assert done.returncode == 0, done.stderr
    tasks = json.loads(out.read_text("utf-8"))
    design = json.loads((tmp_path / "tasks.sample.json").read_text("utf-8"))
    tested = [task for task in tasks if task["data"]["part"] == "test"]
    assert (len(tasks), len(tested), design["test"], design["train"]) == (30, 9, 9, 21)
    assert design["inclusion"] == pytest.approx(9 / design["population"])
    # A coder of the honest part sees no answer.
    assert all(("predictions" in task) == (task["data"]["part"] == "train") for task in tasks)
    assert not {t["data"]["sentence"] for t in tested} & {
        t["data"]["sentence"] for t in tasks if t["data"]["part"] == "train"
    }
    assert _run(*ask).returncode == 1  # the files are there, perhaps with labels
    again = _run(*ask[:6], "--out", tmp_path / "again.json", "--model", tiny_model)
    assert again.returncode == 0
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()

    for coder, labels in (("anna", ["frosty", "none"]), ("ben", ["frosty", "neutral"])):
        with (tmp_path / "tasks.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        with (tmp_path / f"{coder}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows({**row, "tone": labels[at % 2]} for at, row in enumerate(rows))
    table = tmp_path / "labels.csv"
    done = _run("import", tmp_path / "anna.csv", tmp_path / "ben.csv", "--codebook", book, "--out", table)
    assert (done.returncode, done.stderr) == (0, "")
    assert "60 rows" in done.stdout
    assert "coders: anna, ben" in done.stdout
    done = _run("agreement", table, "--codebook", book, "--csv", tmp_path / "differences.csv")
    assert done.returncode == 0, done.stderr
    assert "Krippendorff's alpha, nominal" in done.stdout
    assert len((tmp_path / "differences.csv").read_text("utf-8-sig").splitlines()) == 16


def test_bad_usage_is_one_line(tmp_path: Path) -> None:
    book = tmp_path / "my.yaml"
    book.write_text("name: tone\nlabels: [a, b]\n", "utf-8")
    for arguments, code, said in (
        (("sample", SEED, "--codebook", book, "--out", "x.csv"), 2, "must end in .json"),
        (("sample", tmp_path / "none.csv", "--codebook", book, "--out", tmp_path / "x.json"), 1, "no such file"),
        (("sample", SEED, "--codebook", tmp_path / "no.yaml", "--out", tmp_path / "x.json"), 1, "no such file"),
        (("import", book, "--codebook", book, "--out", book), 2, "is one of the exports"),
    ):
        done = _run(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert said in done.stderr
