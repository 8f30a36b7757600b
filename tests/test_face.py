"""The few public names, and how little it costs to import them."""

import subprocess
import sys
from pathlib import Path

import pytest

import detente

HEAVY = ("onnxruntime", "tokenizers", "numpy", "torch", "transformers", "pyarrow", "typer", "rich", "ahocorasick_rs")


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh process and return which of the heavy modules it loaded."""
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return set(HEAVY) & set(done.stdout.split())


def test_import_loads_nothing_heavy() -> None:
    assert loaded_by("import detente") == set()


def test_labelling_loads_no_torch(tiny_model: Path) -> None:
    loaded = loaded_by(f"import detente\ndetente.load({str(tiny_model)!r}).label('China warned Japan.')")
    assert "onnxruntime" in loaded
    assert not {"torch", "transformers"} & loaded


def test_labelling_leaves_nothing_behind(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what onnxruntime would write of its use, unless it is told not to."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert loaded_by(f"import detente\ndetente.load({str(tiny_model)!r}).label('China warned Japan.')")
    assert not [*tmp_path.iterdir()]


def test_command_line_loads_no_model_for_help() -> None:
    assert not {"onnxruntime", "torch", "pyarrow"} & loaded_by("import detente.cli")


def test_public_names() -> None:
    for name in detente.__all__:
        assert getattr(detente, name) is not None
    assert set(detente.__all__) <= set(dir(detente))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'detente' has no attribute 'lable'"):
        detente.lable  # noqa: B018


def test_typed() -> None:
    assert (Path(detente.__file__).parent / "py.typed").is_file()


def test_load_and_label(tiny_model: Path) -> None:
    (reading,) = detente.load(tiny_model).label("China warned Japan.", date="2021-03-10", include_none=True)
    assert isinstance(reading, detente.Reading)
    assert reading.dyad == "CHN-JPN"
