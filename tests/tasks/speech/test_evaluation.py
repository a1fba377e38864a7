import numpy as np
import pytest

from rnnpipe.report.items import Gallery, Table
from rnnpipe.tasks.speech.evaluation import score
from rnnpipe.tasks.speech.report import make_report_items
from rnnpipe.tasks.speech.results import RecognizedSplit
from rnnpipe.tasks.speech.transcripts import Transcript, Word
from rnnpipe.tasks.speech.validation import SpeechScores
from tests.tasks.speech.conftest import make_model, make_task

ROWS = [
    {"utterance_id": "a.wav", "text": "Ab ca", "speaker": "ann", "duration": 1.5},
    {"utterance_id": "b.wav", "text": "DA", "speaker": "ann", "duration": 3.0},
    {"utterance_id": "c.wav", "text": "b b", "speaker": "", "duration": 1.0},
]
TEXTS = [["ab ca"], ["da da", "d"], ["b c"]]


@pytest.fixture
def recognized():
    transcripts = [[Transcript([4], -1.0, 0.5)] * len(texts) for texts in TEXTS]
    words = [[Word("ab", 0.0, 0.5, 0.9)], [], []]
    return RecognizedSplit(ROWS, ["ab ca", "da", "b b"], transcripts, TEXTS, words)


def test_scores_are_those_of_the_normalised_texts_by_speaker_and_duration(recognized):
    scores = score(recognized)
    assert scores["wer"] == pytest.approx(2 / 5)
    assert scores["substitutions"] == scores["insertions"] == pytest.approx(0.2)
    assert scores["ser"] == pytest.approx(2 / 3)
    assert scores["wer/speaker/ann"] == pytest.approx(1 / 3)
    assert "wer/speaker/" not in scores
    assert scores["wer/seconds/0-2 s"] == pytest.approx(1 / 4)
    assert scores["wer/seconds/2-5 s"] == pytest.approx(1)


def test_the_report_shows_misheard_words_and_plays_the_worst(recognized):
    scores = {**score(recognized), "real_time_factor": 0.01}
    scores |= {f"baseline/x/{name}": 1.0 for name in scores}
    drawn = []

    def draw(rows):
        drawn.append(list(rows))
        return [b"png"] * len(rows)

    sounds = [np.zeros(4, "int16"), None, np.zeros(4, "int16")]
    items = make_report_items(
        recognized, scores, draw, lambda rows: [sounds[row] for row in rows], 8000
    )
    tables = {item.title: item for item in items if isinstance(item, Table)}
    assert list(tables) == ["Scores of the texts", "By duration", "Misheard words"]
    assert set(map(tuple, tables["Misheard words"].rows)) == {("b", "c", 1), ("∅", "da", 1)}
    assert [row[:2] for row in tables["By duration"].rows] == [("0-2 s", 2), ("2-5 s", 1)]
    worst, first = (item for item in items if isinstance(item, Gallery))
    assert drawn == [[1, 2], [0]]
    assert [sample.title for sample in worst.samples] == ["b.wav", "c.wav"]
    assert ("errors", "∅ → da") in worst.samples[0].facts
    assert [len(sample.sounds) for sample in worst.samples] == [0, 1]
    assert first.samples[0].right
    assert first.samples[0].subtitle == "ann · 1.50 s"
    assert [(span.text, span.weight) for span in worst.samples[1].spans] == [(" b", 0), (" c", 1)]


def test_validation_compares_normalised_texts(records):
    tokens = [row["tokens"] for row in records.read("validation", ["tokens"])]
    found = [[Transcript(each, -1.0, 0.5)] for each in tokens]
    scores = SpeechScores(lambda batches: found, records, None, ())
    assert scores.decode_scores() == {"wer": 0, "cer": 0, "ser": 0}
    found[0] = []
    assert scores.score("wer") == pytest.approx(2 / 3)


def test_baselines_are_the_most_frequent_text_and_the_model_without_recurrence(records):
    task = make_task()
    model = make_model(task, records)
    baselines = task.build_baselines(records)
    assert list(baselines) == ["without_recurrence"]
    assert "encoder" not in [layer.name for layer in baselines["without_recurrence"].layers]
    scores = task.evaluate(model, records, "test", baselines).scores
    assert {name.split("/")[1] for name in scores if name.startswith("baseline/")} == {
        "most_frequent_text",
        "without_recurrence",
    }
    # "AB CA" stands twice in the training split.
    assert scores["baseline/most_frequent_text/wer"] == pytest.approx((1 + 2 + 1) / 5)
    assert scores["real_time_factor"] > 0
    assert task.build_baselines(records).keys() == baselines.keys()
    assert make_task(train={"baseline": False}).build_baselines(records) == {}
