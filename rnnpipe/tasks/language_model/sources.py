"""The source of a language model's config."""

from collections.abc import Mapping

from rnnpipe.sources.generated.python_topics import PythonTopics
from rnnpipe.sources.source import Source
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.storage.cache import cache_folder
from rnnpipe.tasks.language_model.config import PythonTopicsSource, TextStreamSource


def open_source(
    config: PythonTopicsSource | TextStreamSource, shares: Mapping[str, float]
) -> Source:
    """The source that a config's `data.source` describes.

    Args:
        config: the section.
        shares: what is held out of a single document, by split.
    """
    match config:
        case PythonTopicsSource():
            return PythonTopics(config.path or cache_folder("raw") / config.kind)
        case TextStreamSource():
            return TextStreams(
                config.path, begin=config.begin, shares=shares, encoding=config.encoding
            )
