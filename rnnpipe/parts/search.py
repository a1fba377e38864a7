"""How sequences are decoded."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from rnnpipe.errors import UserError
from rnnpipe.parts.shallow_fusion import ShallowFusionOptions
from rnnpipe.settings import Kinds, Settings, setting

if TYPE_CHECKING:
    import numpy as np

    from rnnpipe.decoding import Constraint, Constraints, Decoded, Step

    Array = np.ndarray[Any, np.dtype[Any]]

_HERE = "rnnpipe.parts.search"


FindToken = Callable[[str], int]
"""The id of a token of the vocabulary."""


class RuleOptions(Settings):
    """A constraint of a decoded sequence that is a function of its tokens so far.

    Other packages add kinds by the entry point group `rnnpipe.constraints`.
    """

    kinds = Kinds(
        "rnnpipe.constraints",
        {
            "no_immediate_repeat": f"{_HERE}:NoImmediateRepeatOptions",
            "bad_endings": f"{_HERE}:BadEndingsOptions",
        },
    )

    def make(self, find_token: FindToken) -> "Constraint":
        """The constraint.

        Args:
            find_token: the id of a token, for rules that name some.
        """
        raise NotImplementedError


class NoImmediateRepeatOptions(RuleOptions):
    """No token comes twice in a row."""

    kind: Literal["no_immediate_repeat"] = "no_immediate_repeat"

    def make(self, find_token: FindToken) -> "Constraint":
        """See `no_immediate_repeat`."""
        from rnnpipe.decoding import no_immediate_repeat

        del find_token
        return no_immediate_repeat


class BadEndingsOptions(RuleOptions):
    """No sequence ends with certain tokens, e.g. an article."""

    kind: Literal["bad_endings"] = "bad_endings"
    tokens: tuple[str, ...] = setting(help="tokens of the vocabulary", min_length=1)

    def make(self, find_token: FindToken) -> "Constraint":
        """See `bad_endings`."""
        from rnnpipe.decoding import bad_endings

        return bad_endings([find_token(token) for token in self.tokens])


class ConstraintOptions(Settings):
    """What a decoded sequence may not be."""

    min_length: int = setting(0, "tokens at least, the end token included", ge=0)
    no_repeat_ngram: int = setting(
        0, "n, if no n tokens may come twice in a sequence; 0 allows all", ge=0
    )
    banned_tokens: tuple[str, ...] = setting(
        (), "tokens that never come, as the vocabulary has them"
    )
    rules: tuple[RuleOptions, ...] = setting((), "further constraints, by their kinds")

    def make(
        self, find_token: FindToken, prefix: Any = None
    ) -> "list[Constraints | Constraint] | None":
        """The constraints; None where there are none.

        Args:
            find_token: the id of a token.
            prefix: what sequences must begin with, see `Constraints`.
        """
        from rnnpipe.decoding import Constraints

        usual = Constraints(
            min_length=self.min_length,
            no_repeat_ngram=self.no_repeat_ngram,
            banned_tokens=[find_token(token) for token in self.banned_tokens],
            prefix=prefix,
        )
        restricts = self.min_length or self.no_repeat_ngram or self.banned_tokens
        if not (restricts or self.rules or prefix is not None):
            return None
        return [usual, *(rule.make(find_token) for rule in self.rules)]


class SamplingOptions(Settings):
    """Sampling: each token is drawn from the model's distribution."""

    temperature: float = setting(
        1.0, "what logits are divided by: 1 for the model's own, near 0 for the likeliest", gt=0
    )
    top_k: int | None = setting(
        None, "draws from the k likeliest tokens only (Fan 2018); null: from all", ge=1
    )
    top_p: float | None = setting(
        None,
        "draws from the fewest likeliest tokens that together have this probability (Holtzman "
        "2020); null: from all",
        gt=0,
        le=1,
    )


class DrawingOptions(SamplingOptions):
    """Sequences that are drawn from the model's distribution, in the place of a beam search."""

    seed: int = setting(0, "of the draws; the same one gives the same sequences", ge=0)

    def draw_quantiles(self, samples: int, length: int) -> "Array":
        """The random numbers of the draws, `(1, samples, length)`, those of NumPy's PCG64.

        They are the same for each row, whose sequences so depend neither on the other rows nor on
        what computes the network. The first sequences do not depend on how many are drawn.
        """
        import numpy as np

        random = np.random.Generator(np.random.PCG64(self.seed))
        return random.random((1, samples, length), dtype=np.float32)


class BeamSearchOptions(Settings):
    """Beam search."""

    beam_width: int = setting(5, "beams; 1 is greedy search", ge=1)
    n_best: int = setting(5, "sequences of each input, at most beam_width", ge=1)
    length_penalty: float = setting(
        1.0, "alpha of GNMT; 0 compares plain log-probabilities", ge=0, le=10
    )
    coverage_penalty: float = setting(
        0.0, "beta of GNMT: prefers sequences that attend to all of the memory", ge=0
    )
    max_length: int = setting(100, "tokens of a sequence at most, the end token included", ge=1)
    groups: int = setting(
        1, "groups of beams that find sequences unlike each other's (Vijayakumar 2018)", ge=1
    )
    diversity: float = setting(0.5, "how much groups avoid each other's tokens", ge=0)
    constraints: ConstraintOptions = ConstraintOptions()
    sampling: DrawingOptions | None = setting(
        None, "draws n_best sequences instead of searching for the likeliest; null: searches"
    )
    language_model: ShallowFusionOptions | None = setting(
        None, "a language model whose log-probabilities are added to the model's; null: none"
    )

    @property
    def rows(self) -> int:
        """How many sequences are decoded of each input."""
        return self.beam_width if self.sampling is None else self.n_best

    @property
    def reranks(self) -> bool:
        """Whether all `n_best` sequences are needed to find the best one."""
        return False

    @property
    def penalizes(self) -> bool:
        """Whether scores have penalties: those of one path and of draws are log-probabilities."""
        return self.sampling is None and self.beam_width > 1

    def make_greedy(self) -> Self:
        """The same limits and constraints with one sequence of each input, greedy and unfused."""
        return replace(
            self,
            beam_width=1,
            n_best=1,
            groups=1,
            diversity=type(self).diversity,
            sampling=None,
            language_model=None,
        )

    def check(self) -> None:
        """Beams are enough for the sequences, and groups have equally many."""
        if self.sampling is not None and (self.groups > 1 or self.coverage_penalty):
            name = "groups" if self.groups > 1 else "coverage_penalty"
            expected, fix = "its default with sampling", "remove it, or write sampling: null"
            raise UserError(name, expected, str(getattr(self, name)), fix)
        if self.sampling is not None and self.language_model is not None:
            expected = "null with a language model, whose scores are no distribution"
            raise UserError("sampling", expected, "settings", "remove one of the two")
        if self.n_best > self.beam_width:
            expected = f"at most beam_width, {self.beam_width}"
            raise UserError("n_best", expected, str(self.n_best), "write a wider beam")
        if self.beam_width % self.groups:
            expected, fix = (
                f"a divisor of beam_width, {self.beam_width}",
                "give groups equally many beams",
            )
            raise UserError("groups", expected, str(self.groups), fix)
        if self.n_best % self.groups:
            expected, fix = f"a multiple of the {self.groups} groups", "take as many of each group"
            raise UserError("n_best", expected, str(self.n_best), fix)
        if self.groups == 1:
            self.require_default("diversity", "with one group")

    def check_vocabulary(self, size: int) -> None:
        """Checks that a vocabulary has a token for each beam.

        Raises:
            UserError: it has fewer; `where` is the key alone.
        """
        if self.beam_width // self.groups > size:
            expected = f"at most the vocabulary, {size}"
            raise UserError("beam_width", expected, str(self.beam_width), "narrow the beam")

    def search(
        self,
        step: "Step",
        state: Any,
        *,
        max_lengths: Any = None,
        memory_mask: Any = None,
        constraints: Any = None,
        required_phrases: Any = None,
    ) -> "Decoded":
        """What the search finds from a first state on, or draws; it may be part of a graph.

        Args:
            step: of the model.
            state: the first state.
            max_lengths: tokens of each row at most, `(batch,)`, where that is less.
            memory_mask: `(batch, positions)`, which of the memory coverage counts.
            constraints: what the sequences may not be.
            required_phrases: what they must contain, see `beam_search`.
        """
        from rnnpipe.decoding import (
            beam_search,
            gnmt_coverage,
            gnmt_length,
            greedy_search,
            sample,
        )

        shared: dict[str, Any] = {"max_length": self.max_length, "max_lengths": max_lengths}
        if self.sampling is not None:
            names = [declared.name for declared in fields(SamplingOptions)]
            shared |= {name: getattr(self.sampling, name) for name in names}
            quantiles = self.sampling.draw_quantiles(self.n_best, self.max_length)
            shared |= {"samples": self.n_best, "quantiles": quantiles}
            return sample(step, state, constraints=constraints, **shared)
        if self.beam_width == 1 and required_phrases is None:
            return greedy_search(step, state, constraints=constraints, **shared)
        coverage = self.coverage_penalty
        return beam_search(
            step,
            state,
            beam_width=self.beam_width,
            n_best=self.n_best,
            length_penalty=gnmt_length(self.length_penalty),
            coverage_penalty=gnmt_coverage(coverage, memory_mask) if coverage else None,
            groups=self.groups,
            diversity=self.diversity,
            constraints=constraints,
            required_phrases=required_phrases,
            **shared,
        )
