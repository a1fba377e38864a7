"""The config of a translation run."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Literal, Self

from rnnpipe.errors import UserError, located
from rnnpipe.inputs.text_augmentation import SubwordSamplingOptions, TextNoiseOptions
from rnnpipe.metrics.translation import BleuTokenizer, Utility
from rnnpipe.models.translator import TranslatorOptions
from rnnpipe.parts.attention_wrappers import ReinforceOptions, is_hard
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.tasks.run_config import Evaluate, KeepBest, RunConfig, Train
from rnnpipe.tasks.word_vectors import check_embedding
from rnnpipe.transforms.recipes.text_pairs import TextPairData


class TranslationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["bleu", "chrf", "exact", "perplexity", "loss"] = setting(
        "bleu", "of the validation split, which is decoded greedily after each epoch"
    )
    average: int = setting(
        1, "mean of the weights of this many best epochs, kept if it is better", ge=1
    )


class TranslationTrain(Train):
    """How the model is trained."""

    batch_tokens: int | None = setting(
        None,
        "target tokens of a batch at most, padding included, in place of batch_size: a batch has "
        "more sentences the shorter they are",
        ge=1,
    )
    subword_sampling: SubwordSamplingOptions | None = setting(
        None, "how both sides are cut into other subwords in every epoch; null: as in the records"
    )
    source_noise: TextNoiseOptions | None = setting(
        None, "words of sources that are dropped and moved in training; null: none"
    )
    guided_alignment: float = setting(
        0.0,
        "weight of the loss by which attention follows the word alignments of the records (Chen "
        "2016); 0: it follows none",
        ge=0,
    )
    label_smoothing: float = fraction(0.1, "probability spread over all tokens")
    reinforce: ReinforceOptions | None = setting(
        None, "how hard attention is trained; null: by the defaults of these settings"
    )
    keep_best: TranslationKeepBest = TranslationKeepBest()


class RiskOptions(Settings):
    """Minimum Bayes risk: the candidate that agrees most with all others is the best."""

    utility: Utility = setting(
        "chrf", "sacreBLEU's score of a candidate where another one is right: chrf or bleu"
    )


class TranslationSearchOptions(BeamSearchOptions):
    """How translations are searched for."""

    max_length: int | None = setting(  # type: ignore[assignment]  # `limit` derives it
        None,
        "tokens of a translation at most, the end token included; null: data.text.max_tokens and "
        "the end token",
        ge=1,
    )
    max_ratio: float | None = setting(
        2.0,
        "a translation has at most ten tokens more than so many times its source's; null: only "
        "max_length bounds it",
        gt=0,
    )

    replace_unknown: Literal["source"] | None = setting(
        None,
        "what stands in place of an unknown word: source, the source word that it attends to most "
        "(Luong 2015); null: <unk>",
    )
    minimum_bayes_risk: RiskOptions | None = setting(
        None,
        "ranks the n_best sequences, found or drawn, by their expected utility (Eikema 2020); "
        "null: by their scores",
    )

    @property
    def reranks(self) -> bool:
        """Whether candidates are compared with one another."""
        return self.minimum_bayes_risk is not None

    def make_greedy(self) -> Self:
        """See `BeamSearchOptions.make_greedy`; one sequence has nothing to be compared with."""
        alone = replace(self, minimum_bayes_risk=None)
        return super(TranslationSearchOptions, alone).make_greedy()

    def check(self) -> None:
        """Several candidates are compared."""
        super().check()
        if self.reranks and self.n_best < 2:
            expected = "at least 2 with minimum_bayes_risk, which compares them"
            raise UserError("n_best", expected, str(self.n_best), "write e.g. 5")

    def limit(self, max_tokens: int) -> "TranslationSearchOptions":
        """The same with a `max_length`, derived from the greatest length of a record's side."""
        return self if self.max_length is not None else replace(self, max_length=max_tokens + 1)


class TranslationEvaluate(Evaluate):
    """What is scored at the end."""

    search: TranslationSearchOptions = TranslationSearchOptions()
    lowercase: bool = setting(False, "whether case is ignored, as with sacreBLEU's -lc")
    bleu_tokenizer: BleuTokenizer = setting(
        "13a", "sacreBLEU's -tok: zh for Chinese, ja-mecab for Japanese, char for any script"
    )
    unseen_lengths: Literal["together", "apart"] = setting(
        "together",
        "whether sources longer than all of training count in the main scores, or have scores of "
        "their own only",
    )

    def check(self) -> None:
        """What cuts the texts is installed."""
        super().check()
        needs = {"ja-mecab": ("MeCab", "ja"), "ko-mecab": ("mecab_ko", "ko")}
        module, extra = needs.get(self.bleu_tokenizer, ("", ""))
        if module and find_spec(module) is None:
            fix = f"pip install 'sacrebleu[{extra}]'"
            raise UserError("bleu_tokenizer", f"{module} to be installed", "none", fix)


class TranslationConfig(RunConfig):
    """A run of translation."""

    task: Literal["translation"]
    data: TextPairData
    model: TranslatorOptions = TranslatorOptions()
    train: TranslationTrain = TranslationTrain()
    evaluate: TranslationEvaluate = TranslationEvaluate(batch_size=64)

    def check(self) -> None:
        """The model fits the data, the training the model, and the search what it has to find."""
        if self.model.share_embedding and not self.data.text.joint:
            # Their sizes alone would not tell: two vocabularies often have as many tokens.
            expected = "false with data.text.joint false, as each language has its own vocabulary"
            fix = "write false, or set data.text.joint to true"
            raise UserError("model.share_embedding", expected, "true", fix)
        text, default = self.data.text, type(self).model.embedding
        vectors = text.vectors or text.target_vectors
        check_embedding(self.model.embedding, vectors, default, is_decoder=True)
        if self.train.reinforce is not None and not is_hard(self.model.decoder.attention):
            expected, fix = "null without hard attention", "remove it"
            raise UserError("train.reinforce", expected, "settings", fix)
        self._check_alignments()
        if self.train.subword_sampling is not None:
            with located("train"):
                self.train.subword_sampling.check_tokenizer(text.tokenizer)
        self._check_lengths()

    def _check_alignments(self) -> None:
        train, where = self.train, "train.guided_alignment"
        if not train.guided_alignment:
            return
        got = str(train.guided_alignment)
        if not self.data.alignments:
            expected = "0 without word alignments of the pairs"
            fix = "name them: data.source.alignment of a table, data.source.alignments of files"
            raise UserError(where, expected, got, fix)
        if train.subword_sampling is not None or train.source_noise is not None:
            expected = "0 with subword_sampling or source_noise, which change the tokens"
            raise UserError(where, expected, got, "leave one of them out")

    def _check_lengths(self) -> None:
        search = self.evaluate.search.limit(self.data.text.max_tokens)
        least = search.constraints.min_length
        if least > (search.max_length or least):
            expected = f"at most max_length, {search.max_length}"
            where = "evaluate.search.constraints.min_length"
            raise UserError(where, expected, str(least), "lower it, or raise max_length")
