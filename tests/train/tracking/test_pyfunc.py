"""The model as MLflow calls it."""

from pathlib import Path

import pandas as pd
import pytest

from detente.infer.label.labeler import load


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred")
def test_empty_text_has_no_readings_and_the_others_have_theirs(tiny_model: Path) -> None:
    from detente.train.tracking.pyfunc import Labeller

    labeller = Labeller()
    labeller.model = load(tiny_model)
    table = pd.DataFrame({"id": ["a", "b", "c", "d"], "text": ["China warned Japan.", "", None, " \n"]})
    whole = labeller.predict(None, table, {"by_document": True})  # type: ignore[arg-type]
    alone = labeller.predict(None, table[:1], {"by_document": True})  # type: ignore[arg-type]
    assert whole["readings"].tolist() == [*alone["readings"], [], [], []]
