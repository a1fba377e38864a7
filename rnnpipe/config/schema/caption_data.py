"""Images with captions."""

from typing import Annotated, Literal

from pydantic import Field

from rnnpipe.config.schema.base import Data, FilePath, Section, Source
from rnnpipe.config.schema.features import Features
from rnnpipe.config.schema.images import Image, Splits
from rnnpipe.config.schema.text import Normalize, Split, TfdsSource


class ShapesCaptionsSource(Source):
    """Scenes of coloured shapes with five captions each, drawn by rnnpipe as real COCO files."""

    kind: Literal["shapes_captions"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")
    images: int = Field(4000, ge=10)
    size: int = Field(64, ge=32, description="height and width of the images, in pixels")
    seed: int = 1


class CaptionFileNames(Section):
    """One part of a data set; the paths are relative to the source's `path`."""

    annotations: FilePath
    images: FilePath


class CocoCaptionsSource(Source):
    """Images and captions as COCO publishes them."""

    kind: Literal["coco_captions"]
    path: FilePath = Field(description="the folder that holds them")
    files: dict[Literal["train", "validation", "test"], CaptionFileNames] | None = Field(
        None, description="the files of each split; default: found by their official names"
    )
    karpathy: FilePath | None = Field(
        None,
        description="Karpathy's dataset_coco.json, relative to `path`: the splits of most papers; "
        "default: COCO's own parts, of which val becomes test",
    )


class Flickr8kSource(Source):
    """Images and `<file>#<number><TAB><caption>` lines as Flickr8k and Flickr30k have them."""

    kind: Literal["flickr8k"]
    path: FilePath = Field(description="the folder that holds them")
    karpathy: FilePath | None = Field(
        None,
        description="Karpathy's dataset_flickr8k.json or dataset_flickr30k.json, relative to "
        "`path`; default: the lists of images of each split",
    )


class CaptionTfdsSource(TfdsSource):
    """A data set of TensorFlow Datasets whose examples have an image and captions."""

    image: str = Field("image", description="the feature with the image")
    captions: str = Field("captions/text", description="the feature with the captions")
    number: str | None = Field(
        None, description="the feature with the image's number, e.g. image/id; default: counted"
    )
    splits: dict[Split, str] | None = Field(
        None,
        description="e.g. {train: 'train[:90%]', test: test}; default: those of these names, with "
        "COCO's restval in train",
    )


CaptionSource = Annotated[
    ShapesCaptionsSource | CocoCaptionsSource | Flickr8kSource | CaptionTfdsSource,
    Field(discriminator="kind"),
]


class CaptionText(Section):
    """How captions become tokens."""

    tokenizer: Literal["word", "unigram", "bpe", "char"] = "word"
    vocabulary: int = Field(10000, ge=8, description="tokens at most")
    min_count: int = Field(1, ge=1, description="how often a word must occur in training captions")
    max_tokens: int = Field(20, ge=1, description="longer captions are cut")
    normalize: Normalize = Normalize()


class CaptionData(Data):
    """The raw data and what is made of it."""

    source: CaptionSource
    image: Image = Image()
    caption: CaptionText = CaptionText()
    features: Features | None = Field(
        None,
        description="features computed once, in the workers; default: the model's input is images",
    )
    splits: Splits = Splits()
