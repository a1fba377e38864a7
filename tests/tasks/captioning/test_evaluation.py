import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics import captions
from rnnpipe.report.items import Table
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.captioning.evaluation import evaluate

BASELINES = ("most_frequent", "nearest_colours", "random")


@pytest.fixture(scope="module")
def said(drawn):
    """What was found of each test scene: one of its own captions, looked at evenly."""
    rows = [row["caption_tokens"][0] for row in drawn.read("test", ["caption_tokens"])]
    return [
        [Hypothesis(t, -1.0, 0.5, np.full((len(t), 2, 2), 0.25, "float32"), -1.0)] for t in rows
    ]


def note_of(evaluation):
    [table] = [e for e in evaluation.report_items if isinstance(e, Table) and "Scores" in e.title]
    return table.note


def no_scores_of(metric, evaluation):
    return not [name for name in evaluation.scores if name.endswith(metric)]


def test_true_captions_beside_baselines(drawn, said):
    evaluation = evaluate(drawn, "test", said, 1.5, ())
    assert evaluation.scores["true_captions"] == 1
    assert evaluation.scores["bleu_4"] == pytest.approx(1)
    assert evaluation.scores["perplexity"] == 1.5
    assert evaluation.scores["attention_on_object"] == pytest.approx(
        evaluation.scores["attention_on_object_if_uniform"]
    )
    assert all(evaluation.scores[f"baseline/{name}/bleu_4"] < 1 for name in BASELINES)
    assert evaluation.notices == []
    assert note_of(evaluation) == "CIDEr is CIDEr-D, as in COCO's evaluation."


def test_scores_that_need_java_where_it_is(drawn, said, monkeypatch):
    monkeypatch.setattr(captions, "_java_version", lambda: 17)
    monkeypatch.setattr(captions, "_meteor", lambda truth, said: len(said) / 100)
    evaluation = evaluate(drawn, "test", said, 1.5, ["meteor"])
    names = ["meteor", *(f"baseline/{name}/meteor" for name in BASELINES)]
    assert [evaluation.scores[name] for name in names] == [len(said) / 100] * 4
    assert evaluation.notices == []


def test_missing_java_is_reported_only_for_requested_scores(drawn, said, monkeypatch):
    monkeypatch.setattr(captions, "_java_version", lambda: None)
    evaluation = evaluate(drawn, "test", said, 1.5, ["meteor"])
    assert no_scores_of("meteor", evaluation)
    message = "METEOR is left out: it needs Java, and no program `java` runs"
    assert evaluation.notices == [message]
    assert note_of(evaluation).endswith(f"evaluation. {message}.")


def test_a_java_program_that_fails_omits_its_own_score_alone(drawn, said, monkeypatch):
    answers = iter([0.3, 0.2])  # and then no more

    def meteor(truth, said):
        for answer in answers:
            return answer
        raise UserError("METEOR", "a score from its Java program", "nothing", "mend Java")

    monkeypatch.setattr(captions, "_java_version", lambda: 17)
    monkeypatch.setattr(captions, "_meteor", meteor)
    evaluation = evaluate(drawn, "test", said, 1.5, ["meteor"])
    assert no_scores_of("meteor", evaluation)
    assert evaluation.scores["bleu_4"] == pytest.approx(1)
    assert len(evaluation.predictions) == len(said)
    assert evaluation.notices == [
        "METEOR is missing: expected a score from its Java program, got nothing; repair Java and "
        "evaluate again"
    ]


def test_empty_outputs_are_scored(drawn, said):
    evaluation = evaluate(drawn, "test", [[] for _ in said], float("nan"), ())
    assert evaluation.scores["bleu_1"] == pytest.approx(0, abs=1e-6)
    assert {row["prediction"] for row in evaluation.predictions} == {""}
    assert {len(row["n_best"]) for row in evaluation.predictions} == {0}
