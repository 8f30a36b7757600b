"""The exported model as MLflow serves it: a table of texts in, a table of readings out.

MLflow runs this file to make the model ("models from code"), so that nothing of it is pickled.
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
        ]
    ),
    params=ParamSchema([ParamSpec("by_document", DataType.boolean, False)]),
)

#: What `mlflow.pyfunc.spark_udf` gives for a row with `params={"by_document": True}`, as its `result_type`: a column of
#: Spark has one value for each row, so a document's readings are a list.
SPARK_TYPE = f"struct<readings: array<struct<{', '.join(f'`{c.name}`: {c.type.name}' for c in SIGNATURE.outputs)}>>>"

#: A row of input, which MLflow keeps beside the model.
EXAMPLE = pd.DataFrame(
    {"id": ["1"], "text": ["Japan thanked Australia for its help."], "date": ["2021-03-10"], "title": [""]}
)


class Labeller(PythonModel):
    """Reads texts with an exported model."""

    model: Detente

    def load_context(self, context: PythonModelContext) -> None:
        """Open the model folder that was logged as the artifact `model`."""
        self.model = load(context.artifacts["model"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  (MLflow's interface)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Label each row's text; one row of output per reading, columns as in `SIGNATURE`.

        With the parameter `by_document`, one row per row of input, whose `readings` are a list of such records.
        """
        texts = model_input.reindex(columns=SIGNATURE.inputs.input_names()).astype(object).fillna("").astype(str)
        records = texts.to_dict("records")
        # Not as a record, of which a text is demanded: an empty one among many has no readings.
        documents = [Document.of(**{str(key): value for key, value in record.items()}) for record in records]
        columns = SIGNATURE.outputs.input_names()
        answers = [[_row(reading, columns) for reading in readings] for readings in self.model.label_many(documents)]
        if params and params["by_document"]:
            return pd.DataFrame({"readings": answers})
        return pd.DataFrame([row for rows in answers for row in rows], columns=columns)


def _row(reading: Reading, columns: list[str]) -> dict[str, Any]:
    record = {**reading.to_dict(), "probability": reading.probability}
    return {name: record[name] for name in columns}


set_model(Labeller())
