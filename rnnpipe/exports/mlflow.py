"""Exports as MLflow models, of the flavour that any Python function has."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.quiet import quiet_import
from rnnpipe.tasks.inputs import Input

if TYPE_CHECKING:
    from mlflow.models import Model, ModelSignature

COLUMNS = ("prediction", "probability", "answers", "timeline", "notes", "error")
"""The columns of the answers, whatever the task is:

- `prediction`: the likeliest answer, and `probability`: its probability;
- `answers`: all of them, the likeliest first, each with its `text`, `probability` and, where a
  search ranked them, `score`;
- `timeline`: the parts of a video, each with `start`, `end`, `label` and `probability`;
- `notes`: what the model does not read of the inputs;
- `error`: why the row has no answer; None of a row that has one.
"""

_LOADER = "rnnpipe.predictors.pyfunc"
_PINNED = ("mlflow-skinny", "numpy", "onnxruntime", "pandas", "pillow", "sentencepiece")


def describe_model(folder: Path, inputs: Sequence[Input], extras: Sequence[str] = ()) -> None:
    """Writes what MLflow needs to serve an export into its folder.

    That is `MLmodel` with the signature, the requirements with the versions that are installed
    (`requirements.txt`, `conda.yaml`, `python_env.yaml`) and an example of the inputs.

    Args:
        folder: of the export.
        inputs: that the task declares.
        extras: of rnnpipe that reading them needs.
    """
    unpacked = folder / "mlflow"  # MLflow writes to an empty folder alone
    with quiet_import():
        model = _save_model(unpacked, inputs, extras)
    for path in unpacked.iterdir():
        path.rename(folder / path.name)
    unpacked.rmdir()
    model.model_size_bytes = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    model.save(str(folder / "MLmodel"))


def _save_model(folder: Path, inputs: Sequence[Input], extras: Sequence[str]) -> Model:
    import mlflow
    from mlflow.models import Model

    model = Model()
    mlflow.pyfunc.save_model(
        str(folder),
        loader_module=_LOADER,
        mlflow_model=model,
        signature=_make_signature(inputs),
        input_example=_make_example(inputs),
        pip_requirements=[f"rnnpipe[{','.join(['onnx', *extras])}]=={version('rnnpipe')}"]
        + [f"{name}=={version(name)}" for name in _PINNED],
        uv_project_path=folder,  # else it copies a project from the current directory
    )
    return model


def column_name(declared: Input) -> str:
    """The column of an input: its keyword in a Python call."""
    return declared.name.replace("-", "_")


def _make_signature(inputs: Sequence[Input]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, Array, ColSpec, Object, Property, Schema

    def read(declared: Input) -> Any:
        kind = "binary" if declared.endings else "string" if declared.required else AnyType()
        return ColSpec(kind, column_name(declared), required=declared.required)

    answer = Object(
        [
            Property("text", "string"),
            Property("probability", "double", required=False),
            Property("score", "double", required=False),
        ]
    )
    times = [Property(name, "double") for name in ("start", "end")]
    segment = Object(
        [*times, Property("label", "string"), Property("probability", "double", required=False)]
    )
    kinds = "string", "double", Array(answer), Array(segment), Array("string"), "string"
    outputs = [
        ColSpec(kind, name, required=False) for name, kind in zip(COLUMNS, kinds, strict=True)
    ]
    return ModelSignature(Schema([read(each) for each in inputs]), Schema(outputs))


def _make_example(inputs: Sequence[Input]) -> Any:
    """A row of made-up inputs; None where one is a file that is no image."""
    import pandas as pd

    row = {column_name(each): _example(each) for each in inputs if each.required}
    return None if None in row.values() else pd.DataFrame([row])


def _example(declared: Input) -> str | bytes | None:
    if not declared.endings:
        return declared.help
    if ".png" not in declared.endings:
        return None
    from PIL import Image

    image = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(image, "PNG")
    return image.getvalue()
