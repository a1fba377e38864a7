"""Every setting is declared once: no second default, no second name, and a line of help."""

import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any

import keras
import pytest

from rnnpipe import decoding, layers
from rnnpipe.config.leaves import walk_leaves
from rnnpipe.models.image_classifier import GlimpseReaderOptions
from rnnpipe.parts import decoder, schedules, search
from rnnpipe.parts.attention import AttentionOptions
from rnnpipe.parts.attention_wrappers import ReinforceOptions
from rnnpipe.parts.cells import Att2InOptions, CellOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.inverse_sqrt import InverseSqrt
from rnnpipe.parts.loss_scale import LossScaleOptions
from rnnpipe.parts.optimizers import OptimizerOptions
from rnnpipe.parts.pooling import PoolingOptions
from rnnpipe.parts.recurrence import PyramidalRecurrenceOptions, RecurrenceOptions
from rnnpipe.parts.slanted_triangular import SlantedTriangular
from rnnpipe.parts.spec_augment import SpecAugmentOptions
from rnnpipe.parts.subsampling import SubsamplingOptions
from rnnpipe.settings import Settings
from rnnpipe.tasks import find_schemas
from rnnpipe.training.alignments import AlignmentTrainer

PACKAGES = ("models", "transforms", "sources", "tasks", "pipelines")

# Parameters that share the name of a setting, and why their default is no second one of it.
OTHER_MEANINGS = {
    # The declaration's own default.
    "transforms.plan.BuildPlan.__init__.records_per_shard",
    "transforms.plan.BuildPlan.__init__.max_bad_fraction",
    "transforms.build.Build.__init__.records_per_shard",
    "transforms.build.Build.__init__.max_bad_fraction",
    # Of a runner that nobody configures: this process.
    "transforms.runners.runner.Runner.__init__.workers",
    # None: the samples of hard attention have no seed of their own; a task passes its config's.
    "models.image_classifier.build_image_classifier.seed",
    # None: the state of a decoding is not repeated for beams.
    "models.captioner.begin_captioning.beam_width",
    "models.translator.begin_translation.beam_width",
    "models.speech_recognizer.begin_recognition.beam_width",
    # Steps of a build, by their names.
    "transforms.passes.dead_letters.DeadLetterSummary.__init__.steps",
    # The size and kind of a thing in a scene.
    "sources.generated.shapes.questions.Description.__init__.size",
    "sources.generated.shapes.questions.Description.__init__.kind",
    # None: the names are in the file's first row.
    "sources.text.rows.read_rows.columns",
    "sources.text.rows.parse_rows.columns",
    # Of one clip, where a table's column does not have it.
    "sources.videos.clips.Clip.__init__.split",
    "sources.videos.clips.Clip.__init__.clip_label",
    # Of one utterance, where a table's columns do not have them; None: with its file.
    "sources.audio.table.UtteranceTable._make.split",
    *(
        f"sources.audio.utterances.{maker}.{name}"
        for maker in ("Utterance.__init__", "make_utterance")
        for name in ("start", "end", "speaker", "split")
    ),
    "sources.audio.recording.Recording.read.start",
    "sources.audio.recording.Recording.read.end",
    "sources.audio.recording.Recording.read.max_seconds",
    # The declaration's own default.
    "sources.audio.utterances.refer_utterance.group_by",
    # The file of a reference, and the endings of files that an input names.
    "sources.source.Reference.__init__.file",
    "tasks.inputs.Input.__init__.endings",
    # Frames of a film strip, and the recording that was read last.
    "tasks.video_labeling.labels.pick_evenly.most",
    "transforms.recipes.speech_encoder.SpeechEncoder.__init__.last",
    # Those of a function that are part of its graph.
    "tasks.network.Graph.__init__.options",
    # Results of an evaluation and of a prediction.
    "tasks.results.Evaluation.__init__.report_items",
    "tasks.results.Evaluation.__init__.files",
    "tasks.prediction.Prediction.__init__.alignments",
    "tasks.prediction.Prediction.to_json.alignments",
    # Of a network: its input of pixels, the options of a call, as many sequences as its own say.
    "tasks.image_inputs.with_features.name",
    "tasks.stored_images.read_pixels.name",
    "tasks.predictor.Example.__init__.options",
    "tasks.search_function.SearchFunction.__call__.n_best",
    "tasks.step_search.StepSearch.__call__.n_best",
    "tasks.speech.recognition.Recognizer.compute.n_best",
    "tasks.speech.recognition.Recognizer.decode.n_best",
    # None: in the records' own order, and not by tokens.
    "tasks.translation.task.TranslationTask._make_batches.seed",
    "tasks.translation.batches.make_translation_batches.batch_tokens",
    # What is done with texts, and results; links of words, where raw data has some.
    "tasks.translation.batches.make_translation_batches.texts",
    "tasks.scored_text.ScoredText.__init__.alignments",
    "tasks.scored_text.ScoredText.to_json.alignments",
    "tasks.speech.transcripts.Transcript.__init__.alignment",
    "sources.text.fields.refer_pair.alignment",
    "sources.text.parallel.ParallelSplit.__init__.alignment",
    "transforms.recipes.text_pairs.TextPairEncoder.__init__.alignments",
    # How values of a build are grouped.
    "transforms.passes.count.CountReferences.__init__.shuffle",
    "transforms.passes.write.WriteShards.__init__.shuffle",
    # Of a build: the files of shards, the images that nothing uses.
    "transforms.passes.shard_results.SplitResult.__init__.files",
    "sources.unused_images._Folder.__init__.images",
}

# Settings that a subclass declares anew with another default, and why.
OTHER_DEFAULTS = {
    ("SGDOptions", "learning_rate"),  # Keras' own default of this optimizer
    ("AdamWOptions", "weight_decay"),  # as above
    ("Trec", "encoding"),  # its files are published in ISO 8859-1
    ("TranslationSearchOptions", "max_length"),  # null: derived from the records
    ("SpeechSearchOptions", "max_length"),  # as above
    ("SpokenDigits", "group_by"),  # each speaker says all digits, and is in all splits
    ("ConnectedDigits", "group_by"),  # as above
}

SCHEMAS = find_schemas()


def leaves():
    return [leaf for schema in SCHEMAS.values() for leaf in walk_leaves(schema)]


def functions_of(module):
    """The functions and methods that a module defines, but for the constructors of settings."""
    for member in vars(module).values():
        if getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(member):
            yield member
        if inspect.isclass(member):
            for name, attribute in vars(member).items():
                function = getattr(attribute, "__func__", attribute)
                if name == "__init__" and issubclass(member, Settings):
                    continue
                if inspect.isfunction(function):
                    yield function


def modules():
    for package in PACKAGES:
        root = import_module(f"rnnpipe.{package}")
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            yield import_module(found.name)


def second_defaults(names):
    for module in modules():
        for function in functions_of(module):
            for parameter in inspect.signature(function).parameters.values():
                if parameter.name in names and parameter.default is not inspect.Parameter.empty:
                    name = f"{module.__name__}.{function.__qualname__}.{parameter.name}"
                    yield name.removeprefix("rnnpipe.")


def test_no_signature_has_a_second_default_of_a_setting():
    names = {leaf.field.name for leaf in leaves()}
    assert {"units", "symbols", "vocabulary", "fit", "batch_size"} < names
    assert set(second_defaults(names)) == OTHER_MEANINGS


def settings_classes():
    """All classes that take part in a task's config."""
    seen = set()
    waiting = [*SCHEMAS.values(), *(leaf.owner for leaf in leaves())]
    while waiting:
        settings = waiting.pop()
        if settings in seen:
            continue
        seen.add(settings)
        waiting += [base for base in settings.__mro__ if issubclass(base, Settings)]
    return sorted(seen - {Settings}, key=lambda settings: settings.__qualname__)


def test_no_subclass_declares_a_setting_anew_with_another_default():
    redeclared = set()
    for settings in settings_classes():
        own = inspect.get_annotations(settings)
        for base in settings.__mro__[1:]:
            if not issubclass(base, Settings) or base is Settings:
                continue
            for declared in fields(base):
                if declared.name not in own or declared.default is MISSING:
                    continue
                # A section's values are a default of their own: an instance, not a second class.
                is_section = isinstance(declared.default, Settings)
                default = settings.__dataclass_fields__[declared.name].default
                if not is_section and default != declared.default:
                    redeclared.add((settings.__name__, declared.name))
    assert redeclared == OTHER_DEFAULTS


@pytest.mark.parametrize("task", SCHEMAS)
def test_every_setting_has_a_line_of_help(task):
    without = {
        f"{leaf.owner.__name__}.{leaf.field.name}"
        for leaf in walk_leaves(SCHEMAS[task])
        if not leaf.help and leaf.field.name not in ("task", "kind")
    }
    assert without == set()


# What each part is handed to, where that is one class or function of ours or of Keras.
TARGETS: dict[type[Settings], Any] = {
    EmbeddingOptions: keras.layers.Embedding,
    RecurrenceOptions: layers.RecurrentStack,
    PyramidalRecurrenceOptions: layers.RecurrentStack,
    SpecAugmentOptions: layers.SpecAugment,
    SubsamplingOptions: layers.ConvolutionalSubsampling,
    GlimpseReaderOptions: layers.GlimpseReader,
    ReinforceOptions: AlignmentTrainer,
    decoder.DecoderOptions: layers.AttentionDecoder,
    decoder.LinearSamplingOptions: layers.linear_schedule,
    decoder.ExponentialSamplingOptions: layers.exponential_schedule,
    decoder.InverseSigmoidSamplingOptions: layers.inverse_sigmoid_schedule,
    schedules.CosineScheduleOptions: keras.optimizers.schedules.CosineDecay,
    schedules.ConstantScheduleOptions: keras.optimizers.schedules.CosineDecay,
    schedules.CosineRestartsScheduleOptions: keras.optimizers.schedules.CosineDecayRestarts,
    schedules.ExponentialScheduleOptions: keras.optimizers.schedules.ExponentialDecay,
    schedules.InverseTimeScheduleOptions: keras.optimizers.schedules.InverseTimeDecay,
    schedules.PiecewiseConstantScheduleOptions: keras.optimizers.schedules.PiecewiseConstantDecay,
    schedules.PolynomialScheduleOptions: keras.optimizers.schedules.PolynomialDecay,
    schedules.InverseSqrtScheduleOptions: InverseSqrt,
    schedules.SlantedTriangularScheduleOptions: SlantedTriangular,
    LossScaleOptions: keras.optimizers.LossScaleOptimizer,
    schedules.PlateauScheduleOptions: keras.callbacks.ReduceLROnPlateau,
    search.BeamSearchOptions: decoding.beam_search,
    search.SamplingOptions: decoding.sample_tokens,
    search.DrawingOptions: decoding.sample,
    search.ConstraintOptions: decoding.Constraints,
    search.NoImmediateRepeatOptions: decoding.no_immediate_repeat,
    search.BadEndingsOptions: decoding.bad_endings,
}

# Parts that our own functions put together of several layers, or whose target is to be named.
WITHOUT_TARGET = {
    "AttentionOutputOptions",
    "CTCOutputOptions",
    "JointOutputOptions",
    "ApplicationBackboneOptions",
    "BackboneEncoderOptions",
    "CNNOptions",
    "CheckpointOptions",
    "FeatureEncoderOptions",
    "FineTuningOptions",
    "HubBackboneOptions",
    "LastPoolingOptions",
    "MLflowOptions",
    "RollbackOptions",
    "SavedBackboneOptions",
    "ShallowFusionOptions",
    "WandbOptions",
}

# Settings that what the part makes has no argument for, and where they go instead.
GO_ELSEWHERE = {
    # Other layers of the model.
    ("EmbeddingOptions", "dropout"),
    ("EmbeddingOptions", "vectors"),  # which layer it is, and whether it is trained
    ("EmbeddingOptions", "word_dropout"),
    ("DecoderOptions", "bridge"),
    ("SubsamplingOptions", "dropout"),
    ("MeanPoolingOptions", "words"),
    ("MaxPoolingOptions", "words"),
    ("ConcatPoolingOptions", "words"),
    ("AttentionPoolingOptions", "words"),
    # Of the recurrent layer: a cell by itself does not know where a sequence begins.
    ("LSTMOptions", "weight_drop"),
    ("GRUOptions", "weight_drop"),
    ("VanillaRNNOptions", "weight_drop"),
    # Keras calls it `output_dim`, which YAML should not have to know.
    ("EmbeddingOptions", "size"),
    # An initializer.
    ("EmbeddingOptions", "scale"),
    *(
        (f"{name}Options", "forget_bias")
        for name in ("LSTM", "LayerNormLSTM", "PeepholeLSTM", "ProjectionLSTM", "HighwayLSTM")
    ),
    # The layer that is stacked, and the wrapper that it is of.
    ("RecurrenceOptions", "cell"),
    ("RecurrenceOptions", "zoneout"),
    ("PyramidalRecurrenceOptions", "cell"),
    ("PyramidalRecurrenceOptions", "zoneout"),
    # So many cells.
    ("DecoderOptions", "depth"),
    ("GlimpseReaderOptions", "depth"),
    # A callback, which changes `sampling_rate`.
    ("DecoderOptions", "scheduled_sampling"),
    # `WarmUp` around a schedule of Keras.
    *(
        (f"{name}ScheduleOptions", "warmup_steps")
        for name in (
            "CosineRestarts",
            "Exponential",
            "InverseTime",
            "PiecewiseConstant",
            "Polynomial",
        )
    ),
    # Rates: so many times the highest one.
    ("PiecewiseConstantScheduleOptions", "factors"),
    # `sample`, in the place of a beam search.
    ("BeamSearchOptions", "sampling"),
    # A step of both models.
    ("BeamSearchOptions", "language_model"),
    # Further constraints beside these.
    ("ConstraintOptions", "rules"),
}


def targets() -> Iterator[tuple[type[Settings], Any]]:
    """Each part with what it is handed to."""
    yield from TARGETS.items()
    made: Any
    for made in (AttentionOptions, PoolingOptions):
        for options in made.kinds.load().values():
            if options.__name__ not in WITHOUT_TARGET:
                yield options, type(options().make())
    for made in CellOptions.kinds.load().values():
        context = {"context": 3} if made is Att2InOptions else {}
        yield made, type(made().make_cell(**context))
        if "make_layer" in vars(made):
            yield made, type(made().make_layer())
    for made in OptimizerOptions.kinds.load().values():
        yield made, getattr(keras.optimizers, made.keras_name)


def parameters_of(target: Any) -> set[str]:
    """The arguments of a function, or of a class and of those that it passes arguments on to."""
    called = [target]
    if isinstance(target, type):
        called = [vars(base)["__init__"] for base in target.__mro__ if "__init__" in vars(base)]
    return {name for each in called for name in inspect.signature(each).parameters}


def test_settings_have_the_names_of_the_arguments_that_they_become():
    # Shared by all optimizers, whose own settings have Keras' names (test_optimizers.py).
    shared = {declared.name for declared in fields(OptimizerOptions)}
    renamed = {
        (options.__name__, declared.name)
        for options, target in targets()
        for declared in fields(options)
        if declared.name not in parameters_of(target) | {"kind"}
        and not (issubclass(options, OptimizerOptions) and declared.name in shared)
    }
    assert renamed == GO_ELSEWHERE


def test_every_part_is_compared_with_its_arguments():
    package = import_module("rnnpipe.parts")
    parts = set()
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = import_module(found.name)
        for name, member in vars(module).items():
            is_part = inspect.isclass(member) and issubclass(member, Settings)
            is_ours = is_part and member.__module__ == module.__name__
            if is_ours and not name.startswith("_") and "kinds" not in vars(member):
                parts.add(name)
    compared = {options.__name__ for options, _ in targets()} - {"GlimpseReaderOptions"}
    assert compared | WITHOUT_TARGET == parts
    assert not compared & WITHOUT_TARGET
