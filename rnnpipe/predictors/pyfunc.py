"""Exports as MLflow loads and serves them: data frames of inputs to data frames of answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.exports.mlflow import COLUMNS, column_name
from rnnpipe.runs.export import Export
from rnnpipe.runs.predict import name_keywords, replace_options
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.predictor import Predictor, Result, Row

if TYPE_CHECKING:
    import pandas as pd


class PyfuncModel:
    """An export as MLflow calls it.

    Args:
        predictor: that of the export.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, frame: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """A row of answers for each row of inputs, see `rnnpipe.exports.mlflow.COLUMNS`.

        Args:
            frame: a column for each input that rows have, called as the keyword of
                `Export.predict`. Files are bytes: whoever calls a server names none of its files.
            params: none.
        """
        import pandas as pd

        del params
        with ExitStack() as files:
            rows = [self._read(row, files) for row in frame.to_dict("records")]
            results = [_to_row(result) for result in self._predictor.predict(rows)]
        # Of another dtype, and where a row lacks a column, None would be NaN, which is no JSON.
        return pd.DataFrame(results, columns=list(COLUMNS), dtype=object, index=frame.index)

    def _read(self, row: Mapping[Any, Any], files: ExitStack) -> Row | UserError:
        inputs = {}
        try:
            for declared in self._predictor.inputs:
                value = _to_python(row.get(column_name(declared)))
                inputs[declared.name] = _read_file(declared, value, files)
        except UserError as fault:
            return fault
        return inputs


def _load_pyfunc(path: str) -> PyfuncModel:
    """The model of an export; MLflow calls this by its name.

    Args:
        path: the folder of the export.
    """
    return PyfuncModel(Export(Path(path)).predictor)


def _to_python(value: Any) -> Any:
    """A cell as `Input.convert` takes it; None for one that is missing.

    A column of numbers has floats where a row lacks one.
    """
    import pandas as pd

    if isinstance(value, list):
        return tuple(value)
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_file(declared: Input, value: Any, files: ExitStack) -> Any:
    """The bytes of an input that is a file, or a temporary file where a predictor needs one."""
    if value is None or not declared.endings:
        return value
    if not isinstance(value, bytes):
        fix = "send the file's content, base64 in JSON"
        raise UserError(f"--{declared.name}", "bytes", type(value).__name__, fix)
    if bytes in declared.accepts:
        return value
    folder = Path(files.enter_context(TemporaryDirectory()))
    path = folder / f"{declared.name}{declared.endings[0]}"
    path.write_bytes(value)
    return path


def _to_row(result: Result) -> dict[str, Any]:
    """The cells of a row's result, by column."""
    empty: dict[str, Any] = {**dict.fromkeys(COLUMNS), "answers": [], "timeline": [], "notes": []}
    if isinstance(result, UserError):
        return {**empty, "error": " ".join(str(name_keywords(result)).split())}
    values = {**empty, **result.to_json()}
    best = values["answers"][0]["probability"] if values["answers"] else None
    notes = [replace_options(note) for note in values["notes"]]
    return {**values, "probability": best, "notes": notes}
