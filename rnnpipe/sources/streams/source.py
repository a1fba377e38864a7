"""The family of sources of long texts."""

from collections.abc import Mapping

from rnnpipe.settings import Kinds
from rnnpipe.sources.source import Source


class StreamSource(Source):
    """Long texts, as references to their spans with the fields of `SpanFields`.

    Other packages add kinds by the entry point group `rnnpipe.stream_sources`.
    """

    kinds = Kinds(
        "rnnpipe.stream_sources",
        {
            "python_topics": "rnnpipe.sources.generated.python_topics:PythonTopics",
            "text": "rnnpipe.sources.streams.texts:TextStreams",
        },
    )

    def hold_out(self, shares: Mapping[str, float]) -> Source:
        """This source, where a text that is a single document is divided by position.

        The build holds out whole documents itself.

        Args:
            shares: the share of each split that is held out.
        """
        del shares
        return self
