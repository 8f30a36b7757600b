"""The house: no room imports from one above it, and what labelling needs is free of what training needs."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: The folders that make up the package, and the modules' names in them.
FOLDERS = {"data": "detente.data", "models": "detente.models", "infer": "detente.infer", "train": "detente.train"}
FACE = ROOT / "src" / "detente"

#: The ground floor: every room may import it, and it imports nothing of the package.
GROUND = ("detente._files", "detente._optional", "detente._statistics", "detente._timing")

#: The rooms in the order of imports: each may import from those before it, and a module belongs to the longest name
#: that its own begins with.
ROOMS = (
    *GROUND,
    "detente.data.codebook",
    "detente.data.gazetteer",
    "detente.data.tables_io",
    "detente.data.corpora",
    "detente.data.annotation",
    "detente.models",
    "detente.infer.text",
    "detente.infer.linking",
    "detente.infer.encoder",
    "detente.infer.readings",
    "detente.infer.explain",
    "detente.infer.label",
    "detente.infer.corpus",
    "detente.infer.score",
    "detente.infer.audit",
    "detente.infer.series",
    "detente.infer.chart",
    "detente.infer.serve",
    "detente.train",  # the modules that lie in the folder itself
    "detente.train.fit",
    "detente.train.export",
    "detente.train.distill",
    "detente.train.evaluate",
    "detente.train.tracking",
    "detente.train.codebook",
    "detente.train.sampling",
    "detente.train.run_checks",
    "detente.train.run",
    "detente.train.experiments",
    "detente",  # the public names
    "detente.cli",
    "detente.__main__",
)

#: Modules of the fullest folder: more are not read at a glance.
MOST_MODULES = 14

#: What only the extra `[train]` brings.
HEAVY = {"torch", "transformers", "datasets", "sklearn", "mlflow", "accelerate", "pandas", "matplotlib", "safetensors"}

#: The rooms of the extra `[plot]`, which only `detente.series`, `detente.plot` and their commands import.
PLOTTING = ("detente.infer.series", "detente.infer.chart")

#: The room of the extra `[serve]`, which only `detente serve` imports.
SERVING = "detente.infer.serve"

#: The network itself, which only training imports.
NETWORK = {"detente.models.encoder", "detente.models.fake_quant", "detente.models.onnx_weights"}


def files() -> Iterator[tuple[str, Path]]:
    """Yield the name and file of every module of the package."""
    for name, folder in [*((name, ROOT / room) for room, name in FOLDERS.items()), ("detente", FACE)]:
        for file in sorted(folder.rglob("*.py")):
            yield ".".join([name, *file.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__"), file


FILES = dict(files())


def room_of(module: str) -> str:
    """Return the room that a module belongs to."""
    return max((room for room in ROOMS if module == room or module.startswith(f"{room}.")), key=len)


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


def test_every_room_has_modules() -> None:
    assert {room_of(module) for module in FILES} == set(ROOMS)


def test_the_wheel_has_every_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(module for module, file in FILES.items() if file.name == "__init__.py")
    assert all((file.parent / "__init__.py").exists() for file in FILES.values())


@pytest.mark.parametrize("module", FILES)
def test_no_room_imports_from_above(module: str) -> None:
    room = room_of(module)
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    for imported in imports(FILES[module]):
        if imported.split(".")[0] == "detente":
            assert room not in GROUND, f"{module} imports {imported}"
            assert room_of(imported) in allowed, f"{module} imports {imported}"


@pytest.mark.parametrize("module", [module for module in FILES if module.startswith(("detente.data", "detente.infer"))])
def test_labelling_loads_nothing_of_training(module: str) -> None:
    loaded = [*imports(FILES[module], when_loaded=True)]
    summing = room_of(module) in {*PLOTTING, SERVING}
    allowed = {"matplotlib", "pandas"} if summing else set()
    assert not {name.split(".")[0] for name in loaded} & (HEAVY - allowed)
    if not summing:
        assert not [name for name in loaded if name.startswith(PLOTTING)]
    assert not [name for name in imports(FILES[module]) if name.rpartition(".")[0] in NETWORK or name in NETWORK]


@pytest.mark.parametrize("module", [m for m in FILES if room_of(m) == "detente.models" and m not in NETWORK])
def test_a_model_is_opened_without_torch(module: str) -> None:
    loaded = [*imports(FILES[module], when_loaded=True)]
    assert not {name.split(".")[0] for name in loaded} & HEAVY
    assert not [name for name in loaded if name.rpartition(".")[0] in NETWORK or name in NETWORK]


@pytest.mark.parametrize("module", [module for module in FILES if room_of(module) != SERVING])
def test_only_the_command_imports_the_server(module: str) -> None:
    if module != "detente.cli.read.serve":
        assert not [name for name in imports(FILES[module]) if name.startswith((SERVING, "fastapi", "uvicorn"))]


@pytest.mark.parametrize("module", [module for module, file in FILES.items() if file.is_relative_to(FACE)])
def test_face_imports_training_only_when_asked(module: str) -> None:
    for name in imports(FILES[module], when_loaded=True):
        assert name.split(".")[0] not in HEAVY
        assert not name.startswith(("detente.train", SERVING))


@pytest.mark.parametrize("folder", [*FOLDERS, "src", "tests", "docs"])
def test_no_folder_is_crowded(folder: str) -> None:
    modules = Counter(file.parent for file in (ROOT / folder).rglob("*.py"))
    assert not {str(place): number for place, number in modules.items() if number > MOST_MODULES}


@pytest.mark.parametrize("file", sorted((ROOT / "tests").rglob("*.py")), ids=lambda file: file.stem)
def test_no_test_imports_from_another(file: Path) -> None:
    for name in imports(file):
        if name.split(".")[0] == "tests":
            assert name.split(".")[1] == "helpers", f"{file} imports {name}"
