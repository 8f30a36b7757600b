"""Print how readable the packages are: modules per folder, function words as names, parameters without a noun.

    python -m tests.helpers.house_style            # a line for each package
    python -m tests.helpers.house_style --list     # every occurrence too

It measures and asserts nothing: a figure that a test enforces is soon met by the letter.
"""

import argparse
import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

#: The top packages and their folders.
PACKAGES: Final = {name: ROOT / name for name in ("data", "models", "infer", "train")} | {
    "detente": ROOT / "src" / "detente"
}

#: Words that say nothing about what a name is bound to.
FUNCTION_WORDS: Final = frozenset(
    "at of said found told kept asked some one other here there whole own such so to from by with back over under what "
    "which whose who how known given taken seen shown made done left".split()
)

#: First words of a parameter's text that isn't a noun phrase: bare prepositions and relatives ("seed: of the draws").
OPENINGS: Final = frozenset(
    "about above after against among as at before behind below beside between beyond by during for from in inside into "
    "of off on onto out over per since than through to toward towards under until up upon with within without "
    "that what which who whom whose".split()
)

_SECTIONS: Final = re.compile(r"^(?:Args|Attributes):\n((?:[ ]{4,}.*\n?|\n)+)", re.MULTILINE)
_PARAMETER: Final = re.compile(r"^ {4}\*{0,2}(\w+): *(\S.*)", re.MULTILINE)


@dataclass
class Figures:
    """Counts over one package.

    Attributes:
        folders: number of modules by folder, `__init__.py` left out.
        names: number of bound names.
        words: places where a function word is bound.
        parameters: number of parameters and attributes that docstrings describe.
        openings: places where a description begins with a preposition or a relative.
    """

    folders: Counter[str] = field(default_factory=Counter)
    names: int = 0
    words: list[str] = field(default_factory=list)
    parameters: int = 0
    openings: list[str] = field(default_factory=list)


def measure(folder: Path) -> Figures:
    """Return the figures of one package."""
    figures = Figures()
    for file in sorted(folder.rglob("*.py")):
        place = file.relative_to(ROOT)
        figures.folders[str(place.parent)] += file.name != "__init__.py"
        tree = ast.parse(file.read_text("utf-8"))
        for line, name in bound_names(tree):
            figures.names += 1
            if name.strip("_").lower() in FUNCTION_WORDS:
                figures.words.append(f"{place}:{line}: {name}")
        for name, text in parameters(tree):
            figures.parameters += 1
            if text.split()[0].strip(",;:.").lower() in OPENINGS:
                figures.openings.append(f"{place}: {name}: {text}")
    return figures


def bound_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of every binding: definitions, parameters, assignments, loops, imports under another name."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield node.lineno, name


def parameters(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield name and first line of every parameter and attribute that a docstring describes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for section in _SECTIONS.findall(f"{ast.get_docstring(node) or ''}\n"):
                yield from _PARAMETER.findall(section)


def main() -> None:
    """Print the table, and with `--list` every occurrence that it counts."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--list", action="store_true", help="print every occurrence too")
    listed = options.parse_args().list
    measured = {name: measure(folder) for name, folder in PACKAGES.items()}
    measured["all"] = Figures(
        sum((figures.folders for figures in measured.values()), Counter()),
        sum(figures.names for figures in measured.values()),
        [word for figures in measured.values() for word in figures.words],
        sum(figures.parameters for figures in measured.values()),
        [opening for figures in measured.values() for opening in figures.openings],
    )
    print(f"{'package':9}{'modules':>8}{'most in a folder':>34}{'function words':>24}{'parameters':>24}")
    for name, figures in measured.items():
        (largest, most), *_ = figures.folders.most_common(1)
        words, openings = len(figures.words), len(figures.openings)
        print(
            f"{name:9}{figures.folders.total():>8}{f'{most} ({largest})':>34}"
            f"{f'{words} of {figures.names} ({words / figures.names:.1%})':>24}"
            f"{f'{openings} of {figures.parameters} ({openings / figures.parameters:.0%})':>24}"
        )
    if listed:
        for name in PACKAGES:
            print(*measured[name].words, *measured[name].openings, sep="\n")


if __name__ == "__main__":
    main()
