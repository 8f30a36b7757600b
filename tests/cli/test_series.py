"""`detente series` as users meet it."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detente", *map(str, arguments)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, "COLUMNS": "80"},
    )


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    rows = [
        (number, dyad, "engaging" if warmth > 0 else "frosty", warmth, f"2021-0{month}-10", "wire")
        for number, (dyad, warmth, month) in enumerate(
            [("CHN-USA", -0.5, 1), ("CHN-USA", -0.7, 1), ("CHN-USA", 0.2, 2), ("JPN-USA", 0.8, 2)] * 3
        )
    ]
    folder = tmp_path / "scored"
    folder.mkdir()
    frame = pd.DataFrame(rows, columns=["document", "dyad", "tone", "warmth", "date", "source"])
    frame.to_parquet(folder / "part-00000.parquet")
    return folder


def test_table(scored: Path) -> None:
    done = run("series", scored)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("CHN-USA", "2021-01-01", "-0.60", "~3", "12 sentences", "thin: fewer than 5 documents"):
        assert words in done.stdout


def test_csv_and_top(scored: Path) -> None:
    done = run("series", scored, "--csv", "--top", "1", "--period", "year")
    header, line = done.stdout.splitlines()
    assert header.startswith("dyad,period,warmth,low,high,sentences,documents,sources,frosty")
    assert line.startswith("CHN-USA,2021-01-01,-0.333333,")
    assert done.returncode == 0


def test_plots(scored: Path, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("date,label\n2021-01-20,an inauguration\n")
    files = [tmp_path / f"chart.{ending}" for ending in ("png", "svg", "html")]
    options = [option for file in files for option in ("--plot", str(file))]
    done = run("series", scored, "--dyads", "USA-CHN", *options, "--events", tmp_path / "events.csv", "--title", "One")
    assert done.returncode == 0, done.stderr
    assert all(file.stat().st_size > 1000 for file in files)
    assert "an inauguration" in files[1].read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--period", "decade"], 2, "--period 'decade' is none of day, week, month, quarter, year"),
        (["--events", "events.csv"], 2, "--events are marked on a chart; name it with --plot FILE"),
        (["--dyads", "CHN-XXX"], 1, "'XXX' is not a known state; `detente states` lists the codes"),
        (["--sources", "daily"], 1, "no source daily; there are wire"),
        (["--since", "2022"], 1, "no reading is left of 12"),
        (["--plot", "chart.gif"], 1, "chart.gif: a chart's name ends in .png, .svg, .pdf or .html"),
        (["--plot", "x.png", "--events", "none.csv"], 1, "none.csv: No such file or directory"),
        (["--plot", "no/such/x.png"], 1, "no/such/x.png: No such file or directory"),
    ],
)
def test_bad_usage(scored: Path, arguments: list[str], code: int, message: str) -> None:
    done = run("series", scored, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_no_folder(tmp_path: Path) -> None:
    done = run("series", tmp_path / "nothing")
    assert done.returncode == 1
    assert "no part-* there; write them with `detente score" in done.stderr


def test_what_lacks_the_extra_says_which(scored: Path) -> None:
    program = f"""
import sys
sys.modules["pandas"] = None
sys.argv = ["detente", "series", {str(scored)!r}]
from detente.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "detente: pandas isn't installed; pip install 'detente[plot]'\n"


def test_other_commands_load_no_pandas() -> None:
    program = (
        "import sys, detente.cli, detente.infer.label.labeler\n"
        "print({'pandas', 'matplotlib', 'vl_convert'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
