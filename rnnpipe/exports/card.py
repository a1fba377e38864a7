"""The model card of an export."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Literal

from rnnpipe.tasks.inputs import Input

_USE = """\
## Use

```python
import rnnpipe

model = rnnpipe.load("{folder}")
print(model.predict({inputs}).answers)
```

It needs `pip install '{extras}'`; the run, its data and its training code are not needed.
"""

_CHECKED = {
    "records": "Records of the test split",
    "made-up": "Made-up inputs of random tokens and pixels",
    "both": "Records of the test split, and made-up inputs of random tokens and pixels,",
}
_NO_RECORDS = "The records were gone or damaged when it was exported.\n"
Checked = Literal["records", "made-up", "both"]
"""What an export is checked with."""


def make_card(
    task: str,
    *,
    inputs: tuple[Input, ...],
    metrics: Mapping[str, Mapping[str, float]],
    splits: Mapping[str, int],
    folder: str,
    extras: str,
    checked: Checked,
    serving: str,
) -> str:
    """The `README.md` of an export: task, data, scores beside their baselines, versions, use.

    Args:
        task: its name.
        inputs: that the task declares.
        metrics: by split, a number for every metric; empty if the run is not evaluated.
        splits: the number of records of each split; empty if there are none to be read.
        folder: the name of the export.
        extras: what pip has to install.
        checked: what it is checked with.
        serving: how to serve it, Markdown.
    """
    called = ", ".join(f"{each.name.replace('-', '_')}=…" for each in inputs if each.required)
    parts = [
        f"# {task.replace('_', ' ').capitalize()}\n\nExported by rnnpipe {version('rnnpipe')}.\n",
        "## Data\n\n" + (_describe_data(splits) or _NO_RECORDS),
        "## Scores\n\n" + (_describe_scores(metrics) or "The run was not evaluated.\n"),
        f"## Check\n\n{_CHECKED[checked]} went through the run and through the export: how far "
        "they differ is in `export.json`.\n",
        "## Limits\n\nThe scores are those of data like the training's; of other data they say "
        "nothing. Options of the search are part of the export, see `export.json`.\n",
        _USE.format(folder=folder, inputs=called, extras=extras),
        f"## Serve\n\n{serving}",
    ]
    return "\n".join(parts)


def describe_quantization(quantization: Mapping[str, Any], check: Mapping[str, Any]) -> str:
    """The section of the model card on what quantization changes.

    Args:
        quantization: `Manifest.quantization`.
        check: `Manifest.check`.
    """
    name, weights = quantization["name"], quantization["weights"]
    counts = " and ".join(f"{count:,} numbers in {dtype}" for dtype, count in weights.items())
    of_run, of_export = check["scores"].values()
    lines = [f"| {metric} | {of_run[metric]:.4g} | {of_export[metric]:.4g} |" for metric in of_run]
    table = "\n".join([f"| metric | float32 | {name} |", "|---|---|---|", *lines, ""])
    return (
        f"\n## Quantization\n\nThe weights of matrix products are {name}, all others float32: "
        f"{counts}. Of {check['rows']:,} rows, {check['equal_ids']:.1%} of the ids are those of "
        "float32. What a weight is multiplied with is quantized by its range in the batch, so that "
        "an answer may depend on the others of its batch.\n\n"
        + (table if lines else "It was not scored.\n")
    )


def _describe_data(splits: Mapping[str, int]) -> str:
    lines = [f"| {split} | {count:,} |" for split, count in splits.items()]
    return "\n".join(["| split | records |", "|---|---|", *lines, ""]) if lines else ""


def _describe_scores(metrics: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        f"| {split} | {metric} | {value:.4g} |"
        for split, scores in metrics.items()
        for metric, value in scores.items()
    ]
    head = ["| split | metric | value |", "|---|---|---|"]
    return "\n".join([*head, *lines, ""]) if lines else ""
