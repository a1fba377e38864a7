import keras
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.models.text_classifier import TextClassifierOptions, build_text_classifier
from rnnpipe.tasks.text_classification.drawing import highlight_text
from rnnpipe.tasks.text_classification.report import find_alignments
from rnnpipe.text.tokenizer import train_tokenizer

WORDS = train_tokenizer(dict.fromkeys("abcdef", 9), kind="word", vocabulary=12)


def make_model(pooling):
    keras.utils.set_random_seed(1)
    settings = {
        "embedding": {"size": 4, "scale": 1.0},
        "recurrence": {"cell": {"units": 3}},
        "pooling": {"kind": pooling},
    }
    options = load_settings(TextClassifierOptions, settings)
    return build_text_classifier(options, vocab=12, classes=2)


@pytest.mark.parametrize(("keep", "shown"), [("start", "a b c …"), ("end", "… d zebra f")])
def test_the_part_that_the_model_read_is_shown_as_it_was_written(keep, shown):
    text = "a b c d zebra f"
    tokens = WORDS.encode(text)
    row = {"text": text, "tokens": tokens[:3] if keep == "start" else tokens[-3:]}
    alignments = find_alignments(make_model("attention"), row["tokens"])
    spans = highlight_text(alignments, row, WORDS, keep)
    assert "".join(span.text for span in spans).strip() == shown
    assert max(span.weight for span in spans) > 0


def test_a_model_without_attention_shades_nothing():
    row = {"text": "a b", "tokens": WORDS.encode("a b")}
    alignments = find_alignments(make_model("last"), row["tokens"])
    assert {span.weight for span in highlight_text(alignments, row, WORDS, "start")} == {0.0}
