"""Prose that every Python carries: the topics of its language reference, for `help()`."""

import hashlib
from functools import cached_property
from pathlib import Path
from pydoc_data.topics import topics
from typing import Literal

from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.streams.source import StreamSource
from rnnpipe.sources.streams.texts import TextStreams


class PythonTopics(GeneratedSource, StreamSource):
    """The topics of Python's language reference, each a document in a file of its own.

    Some topics repeat paragraphs of others. Each paragraph is kept once, in the longest topic that
    has it, so that no text of one split is read in another.

    Example:
        >>> source = PythonTopics(path=Path("topics"))
        >>> source.prepare(lambda done, total: None)
    """

    kind: Literal["python_topics"] = "python_topics"

    @cached_property
    def _documents(self) -> dict[str, str]:
        seen: set[str] = set()
        documents = {}
        for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
            paragraphs = []
            for paragraph in topics[name].split("\n\n"):
                if paragraph.strip() not in seen:
                    seen.add(paragraph.strip())
                    paragraphs.append(paragraph)
            if paragraphs:
                documents[name] = "\n\n".join(paragraphs).strip("\n") + "\n"
        return documents

    @property
    def folder_name(self) -> str:
        """Named by a hash of the text, which differs between versions of Python."""
        content = "\0".join(f"{name}\0{text}" for name, text in sorted(self._documents.items()))
        return f"{self.kind}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a file for each topic."""
        for done, (name, text) in enumerate(self._documents.items(), start=1):
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            progress(done, len(self._documents))

    def open(self, folder: Path) -> TextStreams:
        """The reader of these files."""
        return TextStreams(path=folder)
