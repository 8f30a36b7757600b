"""The wheel is what ships: built, installed into a clean environment, and used there."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
def test_what_the_wheel_holds(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "detente/py.typed",
        "detente/data/codebook/codebook.md",
        "detente/infer/serve/web/index.html",
        "detente/data/corpora/corpus.jsonl",
        "detente/data/gazetteer/people.csv",
        "detente/models/detente-mini/model.onnx",
        "detente/models/detente-mini/README.md",
        "detente/train/configs/mini.yaml",
    ):
        assert needed in names
    assert not [name for name in names if "tests/" in name or name.endswith((".safetensors", ".pkl", ".pt"))]
    assert wheel.stat().st_size < 40e6


@pytest.mark.slow
def test_the_wheel_labels_a_sentence_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    code = """
import json, sys
import detente
(r,) = detente.load().label("Japan condemned China over the islands.", date="2021-03-10")
print(json.dumps([r.dyad, r.tone, "torch" in sys.modules]))
"""
    ran = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert json.loads(ran.stdout) == ["CHN-JPN", "frosty", False]
    ran = subprocess.run(
        [tmp_path / "env" / "bin" / "detente", "train", "x.yaml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 1
    assert "pip install 'detente[train]'" in ran.stderr
