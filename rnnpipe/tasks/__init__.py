"""The tasks, one folder each."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from rnnpipe.config.schema import SCHEMAS
from rnnpipe.config.schema.base import RunConfig
from rnnpipe.tasks.task import Task

_GROUP = "rnnpipe.tasks"

TASKS: Mapping[str, EntryPoint] = MappingProxyType(
    {
        "captioning": EntryPoint(
            "captioning", "rnnpipe.tasks.captioning.task:CaptioningTask", _GROUP
        ),
        "char_lm": EntryPoint("char_lm", "rnnpipe.tasks.language_model.task:CharLmTask", _GROUP),
        "glimpse": EntryPoint("glimpse", "rnnpipe.tasks.glimpse.task:GlimpseTask", _GROUP),
        "sentiment": EntryPoint("sentiment", "rnnpipe.tasks.sentiment.task:SentimentTask", _GROUP),
        "translation": EntryPoint(
            "translation", "rnnpipe.tasks.translation.task:TranslationTask", _GROUP
        ),
        "video": EntryPoint("video", "rnnpipe.tasks.video.task:VideoTask", _GROUP),
        "vqa": EntryPoint("vqa", "rnnpipe.tasks.vqa.task:VqaTask", _GROUP),
    }
    | {entry.name: entry for entry in entry_points(group=_GROUP)}
)
"""Where each task is; it is imported when used, as that brings in Keras.

Other packages add tasks through the entry point group `rnnpipe.tasks`: a class like `Task` with the
pydantic model of its config as `schema`.
"""


def find_schemas() -> dict[str, type[RunConfig]]:
    """The model of each task's config; our own ones without importing the task."""
    others = {name: entry.load().schema for name, entry in TASKS.items() if name not in SCHEMAS}
    return {**SCHEMAS, **others}


def make_task(config: RunConfig) -> Task:
    """The task that a config is for."""
    task: Task = TASKS[config.task].load()(config)
    return task
