"""schemathesis asks everything that the description allows, and what it forbids."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.serving import command

#: Of `make fuzz` too, which asks 5,000 cases. What a description can't say (a date that is none, an unknown state, the
#: same state twice) is refused with 422: it accepts less than is described.
OPTIONS = ("--checks=all", "--exclude-checks=positive_data_acceptance", "--generation-database=none", "--no-color")


@pytest.mark.slow
def test_description_holds(tiny_model: Path, tmp_path: Path) -> None:
    with command("--model", tiny_model) as (_, address):
        program = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}/openapi.json"]
        options = ("--max-examples=15", "--phases=examples,fuzzing", "--seed=7", *OPTIONS)
        done = subprocess.run(
            [*program, *options], capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
