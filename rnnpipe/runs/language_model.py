"""The language model of a search: a trained run that `evaluate.search.language_model` names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.parts.shallow_fusion import ShallowFusionOptions
from rnnpipe.quiet import quiet_import
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.ensemble import open_trained
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, UNKNOWN

KEY = "evaluate.search.language_model"

_TASK = "language_model"
_SHOWN = 5  # tokens that a notice lists


def find_options(config: RunConfig) -> ShallowFusionOptions | None:
    """The language model that a config names; None where it names none."""
    options: Any = getattr(getattr(config.evaluate, "search", None), "language_model", None)
    return options


def open_language_model(config: RunConfig) -> RunDirectory | None:
    """The run that a config names as language model; None where it names none.

    Raises:
        UserError: it is no trained run of a language model with the tokens of a tokenizer.
    """
    options = find_options(config)
    if options is None:
        return None
    run = open_trained(KEY, options.run)
    theirs = load_run_config(run)
    if theirs.task != _TASK:
        fix = "name a run of the task language_model"
        raise _refuse(run, "a language model", f"a run of {theirs.task}", fix)
    if theirs.data.tokenizer is None:  # type: ignore[attr-defined]  # by its task
        expected, got = "a language model of the tokens of this run", "one of symbols"
        raise _refuse(run, expected, got, "train it with data.tokenizer, the folder of this run")
    return run


def pin_language_model(config: RunConfig, run: RunDirectory | None) -> RunConfig:
    """The config with the folder of this very run, where it names one of several."""
    if run is None:
        return config
    evaluate: Any = config.evaluate
    options = replace(evaluate.search.language_model, run=run.path)
    search = replace(evaluate.search, language_model=options)
    return replace(config, evaluate=replace(evaluate, search=search))


@dataclass(frozen=True)
class TokenMatch:
    """The tokens of a language model for those of a search.

    Args:
        ids: `(vocab,)` int32, for each token of the search that of the language model.
        missing: the tokens of the search that the language model has not.
        unused: those of the language model that the search has not.
    """

    ids: Any
    missing: Sequence[str]
    unused: Sequence[str]

    def notices(self, run: RunDirectory) -> list[str]:
        """A sentence where the vocabularies differ."""
        notices = []
        if self.missing:
            notices.append(
                f"the language model {run.path} lacks {_list(self.missing)}, which it scores as "
                "unknown"
            )
        if self.unused:
            notices.append(f"this run lacks {_list(self.unused)} of the language model {run.path}")
        return notices


def match_tokens(run: RunDirectory, vocabulary: Path) -> TokenMatch:
    """Matches the tokens of a language model with those of a search, by what they are.

    Args:
        run: of the language model.
        vocabulary: the folder of the tokenizer of what is searched for.

    Raises:
        UserError: the two cut texts in different ways, or share no token.
    """
    ours, theirs = Tokenizer.load(vocabulary), Tokenizer.load(run.seal.check(run.vocabulary))
    fix = f"train it with data.tokenizer: {vocabulary}"
    if ours.kind != theirs.kind:
        expected = f"the tokens of this run, of the tokenizer {ours.kind}"
        raise _refuse(run, expected, f"those of {theirs.kind}", fix)
    if ours.normalizer != theirs.normalizer:
        raise _refuse(run, "texts normalized as those of this run", "other settings", fix)
    if ours.kind in ("unigram", "bpe") and ours.model_bytes != theirs.model_bytes:
        expected = "the tokenizer of this run, as parts of words depend on all others"
        raise _refuse(run, expected, f"another one of {theirs.kind}", fix)
    numbers = {piece: number for number, piece in enumerate(theirs.pieces)}
    missing = [piece for piece in ours.pieces if piece not in numbers]
    unused = sorted(numbers.keys() - set(ours.pieces), key=numbers.__getitem__)
    if len(ours.pieces) - len(missing) <= END + 1:
        raise _refuse(run, "tokens of this run", "none of them", fix)
    ids = np.array([numbers.get(piece, UNKNOWN) for piece in ours.pieces], "int32")
    return TokenMatch(ids, missing, unused)


def load_language_model(task: Task, run: RunDirectory | None, vocabulary: Path) -> list[str]:
    """Gives a task the language model that its config names, where it names one.

    Args:
        task: the task, whose searches it takes part in.
        run: what `open_language_model` returned for its config.
        vocabulary: the folder that `Task.save_vocabulary` filled, or the records.

    Returns:
        Notices of tokens that only one of the two has.

    Raises:
        UserError: their tokens do not fit, or the model cannot be loaded.
    """
    if run is None:
        return []
    with quiet_import():
        from rnnpipe.runs.model import load_model
        from rnnpipe.tasks.shallow_fusion import FusedLanguageModel

    options = find_options(task.config)
    assert options is not None
    match = match_tokens(run, vocabulary / task.output_tokenizer)
    model = load_model(run, make_task(load_run_config(run))).model
    task.language_model = FusedLanguageModel(model, match.ids, options)
    return match.notices(run)


def _list(tokens: Sequence[str]) -> str:
    more = f" and {len(tokens) - _SHOWN} more" if len(tokens) > _SHOWN else ""
    noun = "token" if len(tokens) == 1 else "tokens"
    return f"{len(tokens)} {noun} ({' '.join(tokens[:_SHOWN])}{more})"


def _refuse(run: RunDirectory, expected: str, got: str, fix: str) -> UserError:
    return UserError(f"{KEY} {run.path}", expected, got, fix)
