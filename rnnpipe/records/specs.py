"""Each kind of record, declared once: field names, types, shapes and meanings.

The encoder (`codec.py`), the tf.data parser (`rnnpipe/inputs/parsing.py`) and TensorFlow Datasets'
`features.json` (`metadata.py`) are all derived from these declarations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from rnnpipe.plugins import find_plugins, load_plugin
from rnnpipe.records.layout import ANSWERS, CLIP_LABELS, LABELS, SOURCE, TARGET
from rnnpipe.text.symbols import SYMBOLS_FILE
from rnnpipe.text.tokenizer import MODEL_FILE
from rnnpipe.text.tokens import UNKNOWN

FieldKind = Literal["int64", "float32", "float16", "int16", "text", "jpeg"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Numbers of `float32` and `float16` are finite. What else they may be is declared here too:
    records that hold something else are refused when they are read, see `rnnpipe.records.limits`.

    Args:
        kind: `int64`, `float32`, `float16` and `int16` (of tensors), `text` (UTF-8) or `jpeg` (an
            RGB image's file bytes).
        meaning: what it holds, with its unit where it has one.
        sequence: whether it holds any number of such values, or one.
        nested: whether it holds any number of such sequences, each of a length of its own.
        axes: of a tensor of `float32`, `float16` or `int16`, how many axes it has. It is stored as
            its bytes; of two axes or more each record stores how long they are. With `sequence` its
            first axis counts the items of a sequence; the others are as long in every record. One
            axis alone is of any length.
    """

    kind: FieldKind
    meaning: str
    sequence: bool = False
    nested: bool = False
    axes: int = 0
    least: int | None = None
    names: str = ""
    axis: str = ""

    @property
    def is_list(self) -> bool:
        """Whether a record has any number of items of it."""
        return self.sequence or self.nested or self.axes == 1

    @property
    def type(self) -> str:
        """How it is shown to people, e.g. `int64[]` of a sequence, `float32[:, :]` of a matrix."""
        if self.axes:
            return f"{self.kind}[{', '.join(':' * self.axes)}]"
        return self.kind + "[]" * (self.sequence + self.nested)


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """One kind of record.

    Args:
        name: the kind; record files are called `<name>-<split>.tfrecord-00000-of-0000N`.
        description: a sentence on what one record is.
        fields: its fields by name.
    """

    name: str
    description: str
    fields: Mapping[str, Field]


def _tokens(
    meaning: str, names: str = MODEL_FILE, *, nested: bool = False, axis: str = ""
) -> Field:
    """Token ids of a text; padding is not stored."""
    return Field(
        "int64", meaning, sequence=True, nested=nested, least=UNKNOWN, names=names, axis=axis
    )


def _label(meaning: str, names: str, *, least: int = 0, axis: str = "") -> Field:
    """Numbers of classes: one, or one for each item of an axis."""
    return Field("int64", meaning, sequence=bool(axis), least=least, names=names, axis=axis)


IMAGE_FEATURES = Field("float16", "the backbone's (height, width, channels)", axes=3)

VQA = RecordSpec(
    name="vqa",
    description="A question about an image, with the answers that several people gave.",
    fields={
        "question_id": Field("int64", "number of the question in the raw data"),
        "image_id": Field("int64", "number of the image in the raw data"),
        "image_jpeg": Field("jpeg", "the image, resized to the model's input size"),
        "question": Field("text", "the question as it was asked"),
        "question_tokens": _tokens("token ids of the question"),
        "question_type": Field("text", "kind of question, e.g. its leading words"),
        "answers": Field("text", "one answer from each person asked", sequence=True),
        "answer_type": Field("text", "`yes/no`, `number`, `other` or `unanswerable`"),
        "answer_ids": _label(
            "the distinct answers that the model knows", ANSWERS, axis="known answers"
        ),
        "answer_weights": Field(
            "float32",
            "share of the people who gave each of `answer_ids`",
            sequence=True,
            least=0,
            axis="known answers",
        ),
    },
)

VQA_FEATURES = RecordSpec(
    name="vqa_features",
    description="A question about an image, what a backbone made of it, and people's answers.",
    fields={**VQA.fields, "image_features": IMAGE_FEATURES},
)

TEXT_CLASS = RecordSpec(
    name="text_class",
    description="A text, a sentence or a whole document, and the class it belongs to.",
    fields={
        "text_id": Field("text", "the text's position in the raw data"),
        "text": Field("text", "the text as it was read"),
        "tokens": _tokens("token ids of the text"),
        "label": _label("number of the class in `labels.json`", LABELS),
    },
)

TEXT_PAIR = RecordSpec(
    name="text_pair",
    description="A text and its translation.",
    fields={
        "pair_id": Field("text", "the pair's position in the raw data"),
        "source": Field("text", "the text to translate, as it was read"),
        "target": Field("text", "its translation, as it was read"),
        "source_tokens": _tokens("token ids of the source", f"{SOURCE}/{MODEL_FILE}"),
        "target_tokens": _tokens(
            "token ids of the target, without start and end", f"{TARGET}/{MODEL_FILE}"
        ),
    },
)

ALIGNED_TEXT_PAIR = RecordSpec(
    name="aligned_text_pair",
    description="A text, its translation, and which of their tokens belong together.",
    fields={
        **TEXT_PAIR.fields,
        "links": Field(
            "int64",
            "positions, from 1, of a source token and of a target token, pair after pair",
            sequence=True,
        ),
    },
)

TEXT_STREAM = RecordSpec(
    name="text_stream",
    description="A span of a long text.",
    fields={
        "document": Field("text", "the document that it belongs to"),
        "number": Field("int64", "its position in the document, from 0", least=0),
        "text": Field("text", "the span as it was read"),
        "tokens": _tokens("token ids of its characters or words", SYMBOLS_FILE),
    },
)

CAPTION = RecordSpec(
    name="caption",
    description="An image and what several people said that it shows.",
    fields={
        "image_id": Field("int64", "number of the image in the raw data"),
        "image_jpeg": Field("jpeg", "the image, resized to the model's input size"),
        "captions": Field(
            "text", "the captions as they were written", sequence=True, axis="captions"
        ),
        "caption_tokens": _tokens(
            "token ids of each caption, without start and end", nested=True, axis="captions"
        ),
        "scene": Field(
            "text", "what is in the image, as JSON, where the raw data knows; else empty"
        ),
    },
)

CAPTION_FEATURES = RecordSpec(
    name="caption_features",
    description="An image, what a backbone made of it, and what several people said it shows.",
    fields={
        **CAPTION.fields,
        "image_features": IMAGE_FEATURES,
    },
)

VIDEO = RecordSpec(
    name="video",
    description="A window of a video's frames, with labels of frames, of the whole clip, or both.",
    fields={
        "video_id": Field("text", "the clip's position in the raw data, and its first frame"),
        "frames_jpeg": Field(
            "jpeg", "the frames, resized to the model's input size", sequence=True, axis="frames"
        ),
        "frame_times": Field(
            "float32", "when each is on show, in seconds", sequence=True, axis="frames"
        ),
        "frame_labels": _label(
            "number of each frame's label in `labels.json`; -1: it has none",
            LABELS,
            least=-1,
            axis="frames",
        ),
        "clip_label": _label(
            "number of the class in `clip_labels.json`; -1: it has none", CLIP_LABELS, least=-1
        ),
    },
)

VIDEO_FEATURES = RecordSpec(
    name="video_features",
    description="A window of a video's frames, their features and their labels.",
    fields={
        **VIDEO.fields,
        "frame_features": Field(
            "float32",
            "(frames, features), the backbone's grid averaged to a few cells",
            sequence=True,
            axes=2,
            axis="frames",
        ),
    },
)

IMAGE_CLASS = RecordSpec(
    name="image_class",
    description="An image and the class it belongs to.",
    fields={
        "image_name": Field("text", "the image's position in the raw data"),
        "image_jpeg": Field("jpeg", "the image, resized to the model's input size"),
        "label": _label("number of the class in `labels.json`", LABELS),
    },
)

IMAGE_CLASS_FEATURES = RecordSpec(
    name="image_class_features",
    description="An image, what a backbone made of it, and the class it belongs to.",
    fields={
        **IMAGE_CLASS.fields,
        "image_features": IMAGE_FEATURES,
    },
)

SPEECH = RecordSpec(
    name="speech",
    description="An utterance and its text.",
    fields={
        "utterance_id": Field("text", "its position in the raw data: file, and times if it is cut"),
        "samples": Field("int16", "the sound, mono, at the rate of the build", axes=1),
        "text": Field("text", "the transcript, as it was read"),
        "tokens": _tokens("token ids of the text"),
        "speaker": Field("text", "who speaks; empty: not known"),
        "duration": Field("float32", "of the sound, in seconds", least=0),
    },
)

SPEECH_FEATURES = RecordSpec(
    name="speech_features",
    description="The log-mel features of an utterance, and its text.",
    fields={
        "features": Field("float32", "(frames, mels), log-mel", sequence=True, axes=2),
        **{name: field for name, field in SPEECH.fields.items() if name != "samples"},
    },
)

_ALL = (
    VQA,
    VQA_FEATURES,
    TEXT_CLASS,
    TEXT_PAIR,
    ALIGNED_TEXT_PAIR,
    TEXT_STREAM,
    CAPTION,
    CAPTION_FEATURES,
    VIDEO,
    VIDEO_FEATURES,
    IMAGE_CLASS,
    IMAGE_CLASS_FEATURES,
    SPEECH,
    SPEECH_FEATURES,
)

SPECS: Mapping[str, RecordSpec] = {spec.name: spec for spec in _ALL}


def find_spec(name: str) -> RecordSpec | None:
    """The declaration of a kind of record, ours or another package's; None if there is none.

    Another package declares one by an entry point of the group `rnnpipe.records`.

    Raises:
        UserError: two packages claim one name.
    """
    if name in SPECS:
        return SPECS[name]
    entry = find_plugins("rnnpipe.records", SPECS).get(name)
    return None if entry is None else cast(RecordSpec, load_plugin(entry))
