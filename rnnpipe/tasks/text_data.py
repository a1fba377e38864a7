"""The sources and recipes that the data sections of text tasks describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnpipe.config.schema.text import (
    ClassTableSource,
    ClassText,
    ClassTfdsSource,
    LabelFilesSource,
    LabelFoldersSource,
    PairTableSource,
    PairText,
    PairTfdsSource,
    ParallelSource,
    SentimentGrammarSource,
    TextClassData,
    TextClassSource,
    TextPairData,
    TextPairSource,
    TfdsSource,
    TranslationGrammarSource,
    TrecSource,
)
from rnnpipe.sources.source import Source
from rnnpipe.sources.text.grammars import SentimentGrammar, TranslationGrammar
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import Table
from rnnpipe.sources.text.tfds import Tfds
from rnnpipe.sources.text.trec import Trec
from rnnpipe.storage.cache import cache_folder

if TYPE_CHECKING:
    from rnnpipe.transforms.recipes.text_classes import TextClassRecipe
    from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe
    from rnnpipe.transforms.recipes.tokenization import Tokenization


def make_text_class_recipe(data: TextClassData) -> TextClassRecipe:
    """The recipe of texts with classes that a config's `data` describes."""
    from rnnpipe.transforms.recipes.text_classes import TextClassRecipe  # brings in Beam

    return TextClassRecipe(
        text=_tokenization(data.text),
        max_tokens=data.text.max_tokens,
        keep=data.text.keep,
        drop_duplicates=data.repeats.duplicates == "drop",
        drop_leaks=data.repeats.leaks == "drop",
    )


def make_text_pair_recipe(data: TextPairData) -> TextPairRecipe:
    """The recipe of pairs of texts that a config's `data` describes."""
    from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe  # brings in Beam

    return TextPairRecipe(
        text=_tokenization(data.text),
        joint=data.text.joint,
        max_tokens=data.text.max_tokens,
        drop_duplicates=data.repeats.duplicates == "drop",
        drop_leaks=data.repeats.leaks == "drop",
    )


def open_text_classes(config: TextClassSource) -> Source:
    """The source of texts with classes that a config's `data.source` describes."""
    settings = config.model_dump(exclude={"kind", "path", "text", "label"})
    match config:
        case SentimentGrammarSource():
            return SentimentGrammar(config.path or cache_folder("raw") / config.kind, **settings)
        case LabelFilesSource():
            return LabelFiles(config.path, **settings)
        case LabelFoldersSource():
            return LabelFolders(config.path, **settings)
        case TrecSource():
            return Trec(config.path, **settings)
        case ClassTableSource():
            return Table(config.path, {"text": config.text, "label": config.label}, **settings)
        case ClassTfdsSource():
            return _open_tfds(config, {"text": config.text, "label": config.label})


def open_text_pairs(config: TextPairSource) -> Source:
    """The source of pairs of texts that a config's `data.source` describes."""
    settings = config.model_dump(exclude={"kind", "path"})
    match config:
        case TranslationGrammarSource():
            return TranslationGrammar(config.path or cache_folder("raw") / config.kind, **settings)
        case ParallelSource():
            return Parallel(config.path, **settings)
        case PairTableSource():
            fields = {"source": settings.pop("source"), "target": settings.pop("target")}
            return Table(config.path, fields, **settings)
        case PairTfdsSource():
            return _open_tfds(config, {"source": config.source, "target": config.target})


def _open_tfds(config: TfdsSource, fields: dict[str, str]) -> Tfds:
    return Tfds(
        cache_folder("raw") / config.kind,
        fields,
        data_dir=config.path,
        **config.model_dump(include={"name", "splits"}),
    )


def _tokenization(text: ClassText | PairText) -> Tokenization:
    from rnnpipe.transforms.recipes.tokenization import Tokenization

    return Tokenization(
        text.tokenizer,
        text.vocabulary,
        **text.normalize.model_dump(),
        # What is translated has to become text again, what has a class does not.
        mark_joins=isinstance(text, PairText),
    )
