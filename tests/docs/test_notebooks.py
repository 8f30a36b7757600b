"""The notebooks run from top to bottom, and stand in git without output."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from detente.data.corpora import load as corpora
from detente.data.corpora.examples import CorpusError

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def _quick(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few articles; the shipped model where the repository holds it."""
    if not (ROOT / "models" / "detente-mini" / "model.onnx").is_file():
        monkeypatch.setenv("DETENTE_NOTEBOOK_MODEL", str(tiny_model))
    monkeypatch.setenv("DETENTE_NOTEBOOK_LIMIT", "120")
    monkeypatch.setenv("DETENTE_NOTEBOOK_WORK", str(tmp_path))


def run(notebook: Path) -> str:
    """Run a notebook where it stands, and return what its cells put out."""
    book = nbformat.read(notebook, as_version=4)
    NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": notebook.parent}}
    ).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs)


def test_there_are_notebooks() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == ["label_an_article", "own_codebook", "temperature_of_a_dyad"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_no_output_in_git(notebook: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    nbformat.validate(book)
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.usefixtures("_quick")
def test_label_an_article() -> None:
    assert "readings are left" in run(ROOT / "notebooks" / "label_an_article.ipynb")


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_own_codebook(tmp_path: Path) -> None:
    said = run(ROOT / "notebooks" / "own_codebook.ipynb")
    assert re.search(r"my-model: 2\d\d of 300 rows", said)
    assert "macro_f1" in said
    assert "\x1b" not in said  # no colours, no spinner
    assert "64 documents" in said
    assert (tmp_path / "my-model" / "report" / "learning_curve_ladder.png").is_file()
    assert {file.name for file in tmp_path.glob("*.png")} == {"ladder.png", "conflict.png"}


@pytest.mark.usefixtures("_quick")
def test_temperature_of_a_dyad() -> None:
    try:
        corpora.locate("articles", "all")
    except CorpusError as error:
        pytest.skip(str(error))
    said = run(ROOT / "notebooks" / "temperature_of_a_dyad.ipynb")
    assert re.search(r"1[2-9]\d articles, ", said)
    assert "written for this project" not in said


@pytest.mark.usefixtures("_quick")
def test_temperature_without_the_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETENTE_CORPORA", str(tmp_path))
    assert "64 articles" in run(ROOT / "notebooks" / "temperature_of_a_dyad.ipynb")
    for name in ("japan", "china"):
        assert {file.suffix for file in tmp_path.glob(f"{name}.*")} == {".png", ".svg", ".html"}
