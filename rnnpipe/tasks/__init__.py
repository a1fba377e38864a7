"""The tasks, one package each."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnpipe.config.schema.base import RunConfig
    from rnnpipe.tasks.base import Task

_GROUP = "rnnpipe.tasks"

_OWN = {
    "captioning": "Captioning",
    "image_classification": "ImageClassification",
    "language_model": "LanguageModel",
    "text_classification": "TextClassification",
    "translation": "Translation",
    "video_labeling": "VideoLabeling",
    "vqa": "Vqa",
}
"""The prefix of the `…Task` and `…Config` classes of each task in this package."""

TASKS: Mapping[str, EntryPoint] = MappingProxyType(
    {
        name: EntryPoint(name, f"rnnpipe.tasks.{name}.task:{prefix}Task", _GROUP)
        for name, prefix in _OWN.items()
    }
    | {entry.name: entry for entry in entry_points(group=_GROUP)}
)
"""Where each task is; it is imported when it is used.

Other packages add tasks through the entry point group `rnnpipe.tasks`: a subclass of
`rnnpipe.tasks.base.Task` with the pydantic model of its config as `schema`.
"""


def find_schemas() -> dict[str, type[RunConfig]]:
    """The config class of each task; those of this package load without Keras."""
    return {name: _find_schema(name, entry) for name, entry in TASKS.items()}


def make_task(config: RunConfig) -> Task:
    """The task that a config is for."""
    task: Task = TASKS[config.task].load()(config)
    return task


def _find_schema(name: str, entry: EntryPoint) -> type[RunConfig]:
    schema: type[RunConfig]
    if entry.module.startswith("rnnpipe.tasks."):
        schema = getattr(import_module(f"rnnpipe.tasks.{name}.config"), f"{_OWN[name]}Config")
    else:
        schema = entry.load().schema
    return schema
