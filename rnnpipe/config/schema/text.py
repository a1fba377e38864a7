"""Data of text tasks: texts with classes, and pairs of texts."""

from typing import Annotated, Literal

from pydantic import Field

from rnnpipe.config.schema.base import Data, FilePath, HeldOut, Section, Source

Split = Literal["train", "validation", "test"]


class SentimentGrammarSource(Source):
    """Opinions with negation, contrast and intensity, written by rnnpipe as files of two labels."""

    kind: Literal["sentiment_grammar"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")
    sentences: int = Field(12000, ge=100)
    seed: int = 1


class TranslationGrammarSource(Source):
    """English and a made-up language with genders, agreement and the verb at the end."""

    kind: Literal["translation_grammar"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")
    pairs: int = Field(12000, ge=100, description="training pairs; validation and test come on top")
    seed: int = 1


class FileSource(Source):
    """Text files in a folder."""

    path: FilePath = Field(description="the folder that holds them")
    encoding: str = Field("utf-8", description="of the files, e.g. iso-8859-1")


class LabelFilesSource(FileSource):
    """A file for each class, a text on each line, as `rt-polarity.neg` and `rt-polarity.pos`."""

    kind: Literal["label_files"]
    files: dict[str, FilePath] | None = Field(
        None, description="the file of each label; default: all of one name, `<name>.<label>`"
    )


class LabelFoldersSource(FileSource):
    """A folder for each class, a text in each file, below `train`, `test` or directly."""

    kind: Literal["label_folders"]
    labels: list[str] | None = Field(
        None, min_length=2, description="the folders to read; default: all but `unsup`"
    )


class TrecSource(FileSource):
    """Questions as `COARSE:fine What is …` on each line."""

    kind: Literal["trec"]
    encoding: str = Field("iso-8859-1", description="of the files; TREC's are not UTF-8")
    labels: Literal["coarse", "fine"] = "coarse"
    files: dict[Split, FilePath] | None = Field(
        None, description="the file of each split; default: TREC.train, train_5500.label, …"
    )


class TableSource(FileSource):
    """Rows with named columns."""

    kind: Literal["table"]
    files: dict[Split, FilePath] | None = Field(
        None, description="the file of each split; default: train.csv, test.jsonl.gz, …"
    )
    format: Literal["csv", "tsv", "jsonl"] | None = Field(
        None, description="default: by the file's name"
    )
    columns: list[str] | None = Field(
        None, min_length=1, description="names of the columns of a file without a header"
    )


class ClassTableSource(TableSource):
    """Rows with a column of texts and one of labels."""

    text: str = Field("text", description="the column of texts")
    label: str = Field("label", description="the column of labels")


class PairTableSource(TableSource):
    """Rows with a column for each of two languages."""

    source: str = Field(description="the column to translate from")
    target: str = Field(description="the column to translate to")


class TfdsSource(Source):
    """A data set of TensorFlow Datasets."""

    kind: Literal["tfds"]
    name: str | None = Field(
        None, description="e.g. imdb_reviews; default: the one that lies in `path`"
    )
    path: FilePath | None = Field(
        None, description="TensorFlow Datasets' data_dir; default: its own, where it downloads to"
    )
    splits: dict[Split, str] | None = Field(
        None, description="e.g. {train: 'train[:90%]', test: test}; default: those of these names"
    )


class ClassTfdsSource(TfdsSource):
    """A data set of TensorFlow Datasets whose examples have a text and a label."""

    text: str = Field("text", description="the feature with the text")
    label: str = Field("label", description="the feature with the label")


class PairTfdsSource(TfdsSource):
    """A data set of TensorFlow Datasets whose examples have a text in each of two languages."""

    source: str = Field(description="the feature to translate from, e.g. de")
    target: str = Field(description="the feature to translate to, e.g. en")


class ParallelSource(FileSource):
    """A file for each language, line by line the same sentences."""

    kind: Literal["parallel"]
    source: str = Field(description="the language to translate from: how its files' names end")
    target: str = Field(description="the language to translate to")
    files: dict[Split, str] | None = Field(
        None,
        description="names without language, e.g. {train: train, test: test_2016_flickr}; "
        "default: found",
    )


TextClassSource = Annotated[
    SentimentGrammarSource
    | LabelFilesSource
    | LabelFoldersSource
    | ClassTableSource
    | TrecSource
    | ClassTfdsSource,
    Field(discriminator="kind"),
]
TextPairSource = Annotated[
    TranslationGrammarSource | ParallelSource | PairTableSource | PairTfdsSource,
    Field(discriminator="kind"),
]


class Normalize(Section):
    """What is made uniform before text is cut into tokens; the records keep the raw text too."""

    form: Literal["NFC", "NFKC"] = "NFKC"
    lowercase: bool = True
    split_punctuation: bool | None = Field(
        None,
        description="set punctuation apart by spaces; default: for the tokenizer `word` alone, as "
        "the others find it themselves and then give back text as it was",
    )
    drop_tags: bool = Field(False, description="drop HTML's tags, e.g. <br />")


class ClassText(Section):
    """How texts become tokens."""

    tokenizer: Literal["word", "unigram", "bpe", "char"] = "word"
    vocabulary: int = Field(20000, ge=8, description="tokens at most")
    max_tokens: int = Field(400, ge=1, description="longer texts are cut")
    keep: Literal["start", "end"] = Field("start", description="which part of a text that is cut")
    normalize: Normalize = Normalize()


class PairText(Section):
    """How both sides of a pair become tokens."""

    tokenizer: Literal["word", "unigram", "bpe", "char"] = "bpe"
    joint: bool = Field(True, description="one vocabulary for both languages, or one each")
    vocabulary: int = Field(8000, ge=8, description="tokens at most, of each vocabulary")
    max_tokens: int = Field(
        100,
        ge=1,
        description="of either side; longer pairs are dropped from training and cut elsewhere",
    )
    normalize: Normalize = Normalize()


class Repeats(Section):
    """Duplicate texts; `stats.json` and a notice always count them."""

    duplicates: Literal["keep", "drop"] = Field(
        "keep", description="the same record again in the training split"
    )
    leaks: Literal["keep", "drop"] = Field(
        "keep", description="training texts that also occur in the validation or test split"
    )


class TextSplits(HeldOut):
    """Shares of the training part held out, by text, where the raw data has no such split."""


class TextClassData(Data):
    """Texts with classes, and what is made of them."""

    source: TextClassSource
    text: ClassText = ClassText()
    repeats: Repeats = Repeats()
    splits: TextSplits = TextSplits()


class TextPairData(Data):
    """Pairs of texts, and what is made of them."""

    source: TextPairSource
    text: PairText = PairText()
    repeats: Repeats = Repeats()
    splits: TextSplits = TextSplits()
