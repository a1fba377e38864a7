"""The families of text sources: texts with classes, and texts with their translations."""

from rnnpipe.settings import FilePath, Kinds, setting
from rnnpipe.sources.folder import InFolder
from rnnpipe.sources.source import Source

_TEXT, _GRAMMARS = "rnnpipe.sources.text", "rnnpipe.sources.generated.grammars.sources"


class TextClassSource(Source):
    """Texts with classes; references have the fields of `TextFields`.

    Other packages add kinds by the entry point group `rnnpipe.text_class_sources`.
    """

    kinds = Kinds(
        "rnnpipe.text_class_sources",
        {
            "sentiment_grammar": f"{_GRAMMARS}:SentimentGrammar",
            "label_files": f"{_TEXT}.label_files:LabelFiles",
            "label_folders": f"{_TEXT}.label_folders:LabelFolders",
            "table": f"{_TEXT}.table:ClassTable",
            "trec": f"{_TEXT}.trec:Trec",
            "tfds": f"{_TEXT}.tfds:ClassTfds",
        },
    )


class TextPairSource(Source):
    """Texts with their translations; references have the fields of `PairFields`.

    Other packages add kinds by the entry point group `rnnpipe.text_pair_sources`.
    """

    kinds = Kinds(
        "rnnpipe.text_pair_sources",
        {
            "translation_grammar": f"{_GRAMMARS}:TranslationGrammar",
            "parallel": f"{_TEXT}.parallel:Parallel",
            "table": f"{_TEXT}.table:PairTable",
            "tfds": f"{_TEXT}.tfds:PairTfds",
        },
    )

    @property
    def has_alignments(self) -> bool:
        """Whether its pairs have alignments of words, see `PairFields`."""
        return False


class TextFolder(InFolder, Source):
    """A folder of text files."""

    path: FilePath = setting(help="the folder of the raw data")
    encoding: str = setting("utf-8", "of the files, e.g. iso-8859-1")
