"""The config of a run that recognizes speech."""

from dataclasses import fields, replace
from typing import Literal

from rnnpipe.audio import LogMelOptions
from rnnpipe.errors import UserError, located
from rnnpipe.inputs.sound_augmentation import NO_SOUND_AUGMENTATION, SoundAugmentationOptions
from rnnpipe.models.speech_recognizer import SpeechRecognizerOptions
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.parts.speech_outputs import SpeechOutputOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.tasks.run_config import Evaluate, KeepBest, RunConfig, Train
from rnnpipe.transforms.recipes.speech import SpeechData


class SpeechKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["wer", "cer", "loss"] = setting(
        "cer", "of the validation split, which is decoded greedily after each epoch"
    )
    average: int = setting(
        1, "mean of the weights of this many best epochs, kept if it is better", ge=1
    )


class SpeechTrain(Train):
    """How the model is trained."""

    label_smoothing: float = fraction(0.1, "probability spread over all tokens of a decoder")
    augment: SoundAugmentationOptions = SoundAugmentationOptions()
    baseline: bool = setting(
        True, "whether the model without recurrence is trained too, in the same way, to compare"
    )
    keep_best: SpeechKeepBest = SpeechKeepBest()


class SpeechSearchOptions(BeamSearchOptions):
    """How texts are searched for.

    Of a model without a decoder by CTC's prefix beam search, which has `beam_width`, `n_best` and
    `language_model`.
    """

    max_length: int | None = setting(  # type: ignore[assignment]  # `limit` derives it
        None,
        "tokens of a text at most, the end token included; null: data.text.max_tokens and the end "
        "token",
        ge=1,
    )
    ctc_weight: float = setting(
        0.3,
        "λ of the scores λ log P_CTC + (1 − λ) log P_decoder, where the model has both; 1 searches "
        "by CTC alone",
        ge=0,
        le=1,
    )

    def limit(self, max_tokens: int) -> "SpeechSearchOptions":
        """The same with a `max_length`, derived from the most tokens of a record."""
        return self if self.max_length is not None else replace(self, max_length=max_tokens + 1)

    def check_output(self, output: SpeechOutputOptions, default: Settings) -> None:
        """Checks that all settings have an effect on the search of a model.

        Args:
            output: of the model.
            default: the search that a config has by default.

        Raises:
            UserError: one has none; `where` is its name.
        """
        if not (output.has_ctc and output.has_decoder):
            self.require_default("ctc_weight", f"with the output {output.kind}")
        if not self.has_decoder(output):
            for declared in fields(BeamSearchOptions):
                if declared.name not in ("beam_width", "n_best", "language_model"):
                    self.require_default(declared.name, "with CTC alone", default)
            if self.language_model is not None and self.beam_width == 1:
                expected = "at least 2 with a language model, as greedy search of CTC has none"
                raise UserError("beam_width", expected, "1", "write e.g. 8")
        elif output.has_ctc and self.ctc_weight and self.sampling is not None:
            expected, got = "null with CTC, whose scores are no distribution", "settings"
            raise UserError("sampling", expected, got, "remove it, or write ctc_weight: 0")

    def has_decoder(self, output: SpeechOutputOptions) -> bool:
        """Whether the decoder of a model takes part in its search."""
        return output.has_decoder and not (output.has_ctc and self.ctc_weight == 1)


class SpeechEvaluate(Evaluate):
    """What is scored at the end."""

    search: SpeechSearchOptions = SpeechSearchOptions(beam_width=8, n_best=1, length_penalty=0.0)


class SpeechConfig(RunConfig):
    """A run that recognizes speech."""

    task: Literal["speech"]
    data: SpeechData
    model: SpeechRecognizerOptions = SpeechRecognizerOptions()
    train: SpeechTrain = SpeechTrain(batch_size=16)
    evaluate: SpeechEvaluate = SpeechEvaluate(batch_size=16)

    @property
    def log_mel(self) -> LogMelOptions:
        """The features that the model reads."""
        default = LogMelOptions(rate=self.data.sound.rate)
        return self.data.features or self.model.features or default

    def check(self) -> None:
        """The features are declared once, at the rate of the sound, and searches fit the model."""
        with located("evaluate.search"):
            self.evaluate.search.check_output(self.model.output, SpeechEvaluate.search)
        if self.data.features is not None and self.train.augment != NO_SOUND_AUGMENTATION:
            got, fix = "settings", "leave it out, or store samples"
            raise UserError("train.augment", "none with data.features", got, fix)
        if self.model.features is None:
            return
        if self.data.features is not None:
            got, fix = "settings", "leave it out"
            raise UserError("model.features", "null with data.features", got, fix)
        if self.model.features.rate != self.data.sound.rate:
            expected = f"that of data.sound, {self.data.sound.rate}"
            got = str(self.model.features.rate)
            raise UserError("model.features.rate", expected, got, "make them equal")
