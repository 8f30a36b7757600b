"""Serve the exported model through MLflow: a table of texts in, a table of readings out.

MLflow runs this file to build the model ("models from code"), so nothing is pickled.
"""

from typing import Any

import pandas as pd
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from detente.infer.label.labeler import Detente, load
from detente.infer.readings.document import Document
from detente.infer.readings.reading import Reading

SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.string, "id", required=False),
            ColSpec(DataType.string, "text"),
            ColSpec(DataType.string, "date", required=False),
            ColSpec(DataType.string, "title", required=False),
        ]
    ),
    outputs=Schema(
        [
            ColSpec(DataType.string, "id"),
            ColSpec(DataType.string, "sentence"),
            ColSpec(DataType.long, "start"),
            ColSpec(DataType.long, "end"),
            ColSpec(DataType.string, "dyad"),
            ColSpec(DataType.string, "tone"),
            ColSpec(DataType.double, "warmth"),
            ColSpec(DataType.double, "probability"),
            ColSpec(DataType.string, "direction"),
            ColSpec(DataType.string, "cue"),
            ColSpec(DataType.boolean, "by_group"),
        ]
    ),
    params=ParamSchema([ParamSpec("by_document", DataType.boolean, False)]),
)

#: `result_type` of `mlflow.pyfunc.spark_udf` with `params={"by_document": True}`. A Spark column has one value per row,
#: so a document's readings are a list.
SPARK_TYPE = f"struct<readings: array<struct<{', '.join(f'`{c.name}`: {c.type.name}' for c in SIGNATURE.outputs)}>>>"

#: Input example that MLflow stores with the model.
EXAMPLE = pd.DataFrame(
    {"id": ["1"], "text": ["Japan thanked Australia for its help."], "date": ["2021-03-10"], "title": [""]}
)


class Labeller(PythonModel):
    """Labels texts with an exported model."""

    model: Detente

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model folder from the artifact `model`."""
        self.model = load(context.artifacts["model"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  (MLflow's interface)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return one row per reading, with the columns of `SIGNATURE`.

        With the parameter `by_document`, return one row per input row, with a list of such records as `readings`.
        """
        texts = model_input.reindex(columns=SIGNATURE.inputs.input_names()).fillna("").astype(str)
        records = texts.to_dict("records")
        documents = [Document.from_record({str(key): value for key, value in record.items()}) for record in records]
        columns = SIGNATURE.outputs.input_names()
        answers = [[_row(reading, columns) for reading in readings] for readings in self.model.label_many(documents)]
        if params and params["by_document"]:
            return pd.DataFrame({"readings": answers})
        return pd.DataFrame([row for rows in answers for row in rows], columns=columns)


def _row(reading: Reading, columns: list[str]) -> dict[str, Any]:
    record = {**reading.to_dict(), "probability": reading.probability}
    return {name: record[name] for name in columns}


set_model(Labeller())
