"""No regular expression of the package takes time that grows with the square of its text.

The one timed assertion of the project: processor time, the best of three, in a process of its own. A pattern fails
where ten times the text takes more than forty times as long, and longer than a fifth of a second.
"""

import importlib
import pkgutil
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detente

SHORT, LONG = 2_000, 20_000
GROWTH, SECONDS = 40, 0.2
#: What may stand before the repeated piece: the first character of a match.
HEADS = ("", "A")
#: What stands after it, so that a match that runs to the end of the text fails.
TAIL = "¬"


@cache
def model() -> detente.Detente:
    """Return the shipped model."""
    return detente.load()


def modules() -> Iterator[ModuleType]:
    """Yield the package's modules, those left out that want a library that isn't installed."""
    for info in pkgutil.walk_packages(detente.__path__, "detente."):
        if info.name.endswith("__main__"):
            continue
        try:
            yield importlib.import_module(info.name)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("detente"):
                raise


def patterns() -> dict[str, re.Pattern[str]]:
    """Return the patterns of modules, classes and containers by the name of where they stand."""
    found: dict[re.Pattern[str], str] = {}
    seen: set[int] = set()

    def collect(value: object, name: str) -> None:
        if isinstance(value, re.Pattern):
            if isinstance(value.pattern, str):
                found.setdefault(value, name)
            return
        if id(value) in seen:
            return
        parts: list[tuple[str, object]] = []
        if isinstance(value, dict):
            parts = [(f"{name}[{key!r}]", part) for key, part in value.items()]
        elif isinstance(value, list | tuple | set | frozenset):
            parts = [(f"{name}[{number}]", part) for number, part in enumerate(value)]
        elif isinstance(value, type) and value.__module__.startswith("detente"):
            parts = [(f"{name}.{key}", part) for key, part in vars(value).items()]
        elif isinstance(bound := getattr(value, "__self__", None), re.Pattern):
            parts = [(name, bound)]
        if parts:
            seen.add(id(value))
        for part_name, part in parts:
            collect(part, part_name)

    for module in modules():
        for name, value in vars(module).items():
            collect(value, f"{module.__name__}.{name}")
    return {name: pattern for pattern, name in found.items()}


def pieces(source: str) -> list[str]:
    """Return what is repeated: the pattern's words, its marks, and letters, digits and white space beside them."""
    letters = ["a", "A", "1"]
    marks = sorted({mark for mark in source if not mark.isalnum() and not mark.isspace()} | {" ", "\n", "\t"})
    words = sorted(set(re.findall(r"[A-Za-z]{2,}", source)))
    return [
        *letters,
        *marks,
        *(letter + mark for letter in letters for mark in marks),
        *(mark + white for mark in marks for white in " \n" if mark != white),
        *words,
        *(f"{word} " for word in words),
    ]


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """Return the processor time of finding every match."""
    began = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - began


def slow(pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield the texts on which a pattern's time grows with the square of their length, or worse."""
    for piece in pieces(pattern.pattern):
        for head in HEADS:
            short, long = (head + piece * (length // len(piece)) + TAIL for length in (SHORT, LONG))
            if seconds(pattern, short) * (LONG // SHORT) ** 3 < SECONDS:
                continue  # even cubic growth stays below
            least = min(seconds(pattern, short) for _ in range(3))
            if least > SECONDS:  # the long text might take hours
                yield f"{head!r} and many {piece!r}: {least:.2f} s on {SHORT} characters"
                continue
            if seconds(pattern, long) <= SECONDS:
                continue
            most = min(seconds(pattern, long) for _ in range(3))
            if most > SECONDS and most > GROWTH * least:
                yield f"{head!r} and many {piece!r}: {least:.4f} s on {SHORT} characters, {most:.2f} s on {LONG}"


def main() -> int:
    """Print the slow patterns; return 1 where there is one."""
    found = patterns()
    wrong = [f"{name}: {text}" for name, pattern in found.items() for text in slow(pattern)]
    print(f"{len(found)} patterns", *wrong, sep="\n")
    return 1 if wrong else 0


@pytest.mark.timeout(1800)
def test_no_pattern_is_quadratic() -> None:
    command = [sys.executable, "-m", "tests.test_pattern_cost"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=1700, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert int(run.stdout.split()[0]) > 60


@settings(max_examples=40, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("aA1 .,-–_/()[]“”\"'’?!:\n\t•US"), max_size=6),
    st.sampled_from(["", "A", "China met Japan. "]),
    st.text(alphabet=st.sampled_from("aA1 .,-–_/()[]“”\"'’?!:\n\t•US"), min_size=1, max_size=4),
)
@pytest.mark.timeout(120)  # quadratic cost would take hours
def test_repetitive_text_is_labelled(start: str, lead: str, piece: str) -> None:
    repeated = start + piece * (20_000 // len(piece))
    text = f"{lead}{repeated} France thanked India."
    for reading in model().label(text, title=repeated, include_none=True):
        assert reading.sentence == text[reading.start : reading.end]


@pytest.mark.parametrize("source", [r"a*\Z", r"\s+x", r"(?:ab)*c"])
def test_a_quadratic_pattern_is_found(source: str) -> None:
    assert next(slow(re.compile(source)), None)


if __name__ == "__main__":
    sys.exit(main())
