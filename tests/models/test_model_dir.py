"""Model folders: whole, tampered, missing, atomic."""

import json
import shutil
from pathlib import Path

import pytest

from detente._files import write_json
from detente.models.config import FORMAT, ModelConfig
from detente.models.model_dir import CONFIG, MANIFEST, ONNX, ModelError, read_config, resolve, seal, verify


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_a_whole_folder_passes(folder: Path) -> None:
    verify(folder)


@pytest.mark.parametrize("name", [ONNX, CONFIG, "tokenizer.json"])
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(ModelError, match=f"{name} was changed"):
        verify(folder)


@pytest.mark.parametrize("name", [ONNX, CONFIG, "tokenizer.json", MANIFEST])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        verify(folder)


def test_the_card_may_be_edited(folder: Path) -> None:
    (folder / "README.md").write_text("more", "utf-8")
    verify(folder)
    seal(folder)
    assert "README.md" not in json.loads((folder / MANIFEST).read_text("utf-8"))


def test_a_config_of_a_newer_detente_says_so(folder: Path) -> None:
    write_json(folder / CONFIG, ModelConfig().to_dict() | {"format": FORMAT + 1})
    with pytest.raises(ModelError, match="upgrade detente"):
        read_config(folder)


def test_an_unknown_key_is_an_error(folder: Path) -> None:
    write_json(folder / CONFIG, ModelConfig().to_dict() | {"colour": "red"})
    with pytest.raises(ModelError, match="colour"):
        read_config(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"heads": 3}'])
def test_a_config_that_is_none(folder: Path, text: str) -> None:
    (folder / CONFIG).write_text(text, "utf-8")
    with pytest.raises(ModelError, match=CONFIG):
        read_config(folder)


def test_config_round_trip(folder: Path) -> None:
    config = ModelConfig(name="x", temperature={"tone": 1.5})
    write_json(folder / CONFIG, config.to_dict())
    assert read_config(folder) == config


def test_resolving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(folder) == folder
    assert resolve().name == resolve("detente-mini").name == "detente-mini"
    assert resolve("detente-base") == Path(__file__).resolve().parents[2] / "models" / "detente-base"
    monkeypatch.setattr("detente.models.model_dir.__file__", str(folder / "store.py"))
    with pytest.raises(ModelError, match="clone the repository"):
        resolve("detente-base")
    with pytest.raises(ModelError, match="is a file"):
        resolve(folder / ONNX)
    with pytest.raises(ModelError, match="no model folder at"):
        resolve("./nowhere")


def test_a_hub_that_cannot_be_reached_gives_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(name: str, allow_patterns: list[str]) -> str:
        assert not any(p.endswith((".bin", ".py", ".pkl")) for p in allow_patterns)
        raise LocalEntryNotFoundError("no network\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(ModelError, match=r"no folder owner/name here, and the hub did not give it: no network$"):
        resolve("owner/name")


def test_writing_is_atomic(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert json.loads(file.read_text("utf-8")) == {"a": 1}
