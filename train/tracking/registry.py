"""Register exported models in MLflow as pyfuncs under one name, with an alias for the version in use.

>>> mlflow.pyfunc.load_model("models:/detente@shipped").predict(pandas.DataFrame({"text": ["…"]}))
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow.exceptions import MlflowException

from detente.models.model_dir import read_config, verify
from detente.train.provenance import code_version
from detente.train.tracking import pyfunc

#: Name of the registered model.
NAME: Final = "detente"

_ABOUT: Final = (
    "Reads news and says how each sentence presents the relationship of each pair of states in it. In: a table with a "
    "column `text` and, where known, `id`, `date`, `title`. Out: a row for each sentence and dyad."
)


def log_model(folder: Path) -> Any:
    """Log an exported model's folder to the active run, as a pyfunc with signature and example.

    Returns:
        MLflow's `ModelInfo`.
    """
    return mlflow.pyfunc.log_model(
        name="model",
        python_model=pyfunc.__file__,
        artifacts={"model": str(folder)},
        signature=pyfunc.SIGNATURE,
        input_example=pyfunc.EXAMPLE,
        pip_requirements=[f"detente=={version('detente')}", "pandas"],
    )


def register(logged: Any, folder: Path, alias: str) -> str:
    """Register a logged model as the next version of `NAME` under an alias.

    Args:
        logged: result of `log_model`.
        folder: folder of the exported model.
        alias: alias, which an earlier version loses.

    Returns:
        The version number.
    """
    config = read_config(folder)
    tags = {"model": f"{config.name} {config.version}", "base": config.base, "codebook": config.codebook}
    client = mlflow.MlflowClient()
    registered = mlflow.register_model(logged.model_uri, NAME, tags=tags)
    client.update_registered_model(NAME, _ABOUT)
    client.update_model_version(
        NAME, registered.version, f"{config.name} {config.version}, fine-tuned from {config.base}"
    )
    client.set_registered_model_alias(NAME, alias, registered.version)
    return str(registered.version)


def register_folder(folder: Path, alias: str, tracking: str, experiment: str) -> str:
    """Log an exported model in a new run and register it.

    Args:
        folder: model folder.
        alias: alias of the registered version.
        tracking: MLflow tracking URI.
        experiment: MLflow experiment.

    Returns:
        The version number.

    Raises:
        ModelError: the folder isn't a complete model.
        ValueError: MLflow reports an error; its first line.
    """
    verify(folder)
    config = read_config(folder)
    try:
        mlflow.set_tracking_uri(tracking)
        mlflow.set_experiment(experiment)
        with mlflow.start_run(
            run_name=f"{config.name} {config.version}, registered",
            description=f"The exported model {config.name} {config.version} of `detente register`.",
            tags={"command": "register", "model": config.name, "code": code_version()},
        ):
            return register(log_model(folder), folder, alias)
    except MlflowException as error:
        raise ValueError(str(error).splitlines()[0]) from error
