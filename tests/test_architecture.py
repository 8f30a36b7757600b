"""The house: no room imports from one above it, and what labelling needs is free of what training needs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: The rooms from the ground floor up, each with its folder.
ROOMS = {"data": ROOT / "data", "models": ROOT / "models", "infer": ROOT / "infer", "train": ROOT / "train"}
FACE = ROOT / "src" / "detente"

#: What only the extra `[train]` brings.
HEAVY = {"torch", "transformers", "datasets", "sklearn", "mlflow", "accelerate", "pandas", "matplotlib", "safetensors"}

#: The modules of the extra `[plot]`, which only `detente.series`, `detente.plot` and their command import.
PLOTTING = {"bootstrap.py", "chart.py", "corrected.py", "frame.py", "plot.py", "plot_html.py", "series.py"}

#: The modules of the extra `[serve]`, which only `detente serve` imports.
SERVING = ROOT / "infer" / "serve"

FILES = [(room, file) for room, folder in ROOMS.items() for file in sorted(folder.glob("*.py"))]
FILES += [("infer", file) for file in sorted(SERVING.glob("*.py"))]


def imports(file: Path, *, when_loaded: bool = False) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere or only when it is loaded itself."""
    tree = ast.parse(file.read_text("utf-8"))
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not (when_loaded and (inside or typing_only)):
            pending.extend(ast.iter_child_nodes(node))


def test_rooms_are_there() -> None:
    assert {room for room, _ in FILES} == set(ROOMS)
    assert (FACE / "cli.py").is_file()


@pytest.mark.parametrize(("room", "file"), FILES, ids=[f"{room}/{file.name}" for room, file in FILES])
def test_no_room_imports_from_above(room: str, file: Path) -> None:
    order = list(ROOMS)
    allowed = set(order[: order.index(room) + 1])
    for module in imports(file):
        parts = module.split(".")
        if parts[0] == "detente":
            assert parts[1] in allowed, f"{file} imports {module}"


@pytest.mark.parametrize("file", [file for room, file in FILES if room != "train"], ids=str)
def test_labelling_loads_nothing_of_training(file: Path) -> None:
    if file.name in {"encoder.py", "rounded.py", "restored.py"}:  # the network itself, which only training imports
        return
    summing = file.name in PLOTTING or file.parent == SERVING
    allowed = {"matplotlib", "pandas"} if summing else set()
    loaded = [*imports(file, when_loaded=True)]
    assert not {module.split(".")[0] for module in loaded} & (HEAVY - allowed)
    if not summing:
        ours = [module.split(".")[2] for module in loaded if module.startswith("detente.infer.")]
        assert not {f"{name}.py" for name in ours} & PLOTTING
    if file.parent.name == "infer":
        assert not any(module.startswith("detente.models.encoder") for module in imports(file))


@pytest.mark.parametrize("file", [file for _, file in FILES if file.parent != SERVING], ids=str)
def test_only_the_command_imports_the_server(file: Path) -> None:
    assert not any(module.startswith(("detente.infer.serve", "fastapi", "uvicorn")) for module in imports(file))


@pytest.mark.parametrize("file", sorted(FACE.glob("*.py")), ids=lambda file: file.name)
def test_face_imports_training_only_when_asked(file: Path) -> None:
    for module in imports(file, when_loaded=True):
        assert module.split(".")[0] not in HEAVY
        assert not module.startswith(("detente.train", "detente.infer.serve"))
    if file.name != "cli_serve.py":
        assert not any(module.startswith("detente.infer.serve") for module in imports(file))
