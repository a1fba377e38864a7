"""The tasks, one package each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from rnnpipe.plugins import find_plugins, load_plugin
from rnnpipe.requirements import require

if TYPE_CHECKING:
    from rnnpipe.tasks.base import Task
    from rnnpipe.tasks.run_config import RunConfig

_GROUP = "rnnpipe.tasks"

_PREFIXES = {
    "captioning": "Captioning",
    "image_classification": "ImageClassification",
    "language_model": "LanguageModel",
    "speech": "Speech",
    "text_classification": "TextClassification",
    "translation": "Translation",
    "video_labeling": "VideoLabeling",
    "vqa": "Vqa",
}
"""The prefix of the `…Task` and `…Config` classes of each task in this package."""

_OURS = {
    name: EntryPoint(name, f"rnnpipe.tasks.{name}.task:{prefix}Task", _GROUP)
    for name, prefix in _PREFIXES.items()
}


def find_tasks() -> Mapping[str, EntryPoint]:
    """Where each task is; it is imported when it is used.

    Other packages add tasks through the entry point group `rnnpipe.tasks`: a subclass of
    `rnnpipe.tasks.base.Task` with the settings of its config as `schema`.

    Raises:
        UserError: two packages claim one name.
    """
    return {**_OURS, **find_plugins(_GROUP, _OURS)}


class _Schemas(Mapping[str, "type[RunConfig]"]):
    """The config class of each task, imported when it is looked up."""

    def __getitem__(self, name: str) -> type[RunConfig]:
        return _find_schema(name, find_tasks()[name])

    def __iter__(self) -> Iterator[str]:
        return iter(find_tasks())

    def __len__(self) -> int:
        return len(find_tasks())


def find_schemas() -> Mapping[str, type[RunConfig]]:
    """The config class of each task, imported when it is looked up; ours bring in no Keras."""
    return _Schemas()


def make_task(config: RunConfig, *, only_predicts: bool = False) -> Task:
    """The task that a config is for.

    Args:
        config: of a run.
        only_predicts: whether no stage of a run follows; what scores and builds records is not
            needed then.

    Raises:
        UserError: a library that it needs is not installed.
    """
    cls: type[Task] = load_plugin(find_tasks()[config.task])
    if not only_predicts:
        require(*cls.extras, where=f"task {config.task}")
    return cls(config)


def _find_schema(name: str, entry: EntryPoint) -> type[RunConfig]:
    schema: type[RunConfig]
    if entry.module.startswith("rnnpipe.tasks."):
        schema = getattr(import_module(f"rnnpipe.tasks.{name}.config"), f"{_PREFIXES[name]}Config")
    else:
        schema = load_plugin(entry).schema
    return schema
