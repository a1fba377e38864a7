import json
from typing import Any

import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import FINGERPRINT, STATS, shard_name
from rnnpipe.records.specs import SPEECH
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.tasks.speech.config import SpeechConfig
from rnnpipe.tasks.speech.task import SpeechTask
from rnnpipe.text.tokenizer import train_tokenizer

RATE = 4000
PITCHES = {"a": 300, "b": 600, "c": 900, "d": 1300}
"""A language of four letters, each with a tone of its own; a space is silence."""

TEXTS = {
    "train": ["ab ca", "da", "b cab", "ad", "abc d", "ca da", "ab ca"],
    "validation": ["ca b", "dab"],
    "test": ["ab cad", "b", "dada ca"],
}
SPEAKERS = ("ann", "bob", "")

DECODER: dict[str, Any] = {
    "embedding": {"size": 5},
    "decoder": {
        "cell": {"kind": "gru", "units": 6},
        "attention": {"kind": "location", "units": 4, "filters": 2, "kernel_size": 3},
    },
}
OPTIONS: dict[str, Any] = {
    "task": "speech",
    "data": {
        "source": {"kind": "morse", "rate": RATE},
        "sound": {"rate": RATE},
        "text": {"max_tokens": 12},
    },
    "model": {
        "features": {"rate": RATE, "mels": 8, "window": 0.032, "hop": 0.016},
        "subsampling": {"filters": 3},
        "encoder": {"cell": {"kind": "gru", "units": 5}, "bidirectional": False},
    },
    "train": {"batch_size": 3, "epochs": 1},
    "evaluate": {"batch_size": 2, "search": {"beam_width": 3, "n_best": 2}},
}


def merge(first, second):
    """Settings with others in their place, section by section."""
    both = dict(first)
    for name, value in second.items():
        old = both.get(name)
        both[name] = (
            merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both


def make_task(**changes):
    return SpeechTask(load_settings(SpeechConfig, merge(OPTIONS, changes)))


def say(text, seed=0):
    """The samples of a text, int16."""
    random, sounds = np.random.default_rng(seed), []
    for letter in text:
        times = np.arange(round(RATE * random.uniform(0.2, 0.3))) / RATE
        sounds += [np.sin(2 * np.pi * PITCHES.get(letter, 0) * times), np.zeros(RATE // 20)]
    samples = np.concatenate(sounds)
    return (8000 * samples + 50 * random.normal(size=len(samples))).astype("int16")


def write_records(folder, tokenizer):
    splits = {}
    for split, texts in TEXTS.items():
        rows = []
        for number, text in enumerate(texts):
            samples = say(text, number)
            rows.append(
                {
                    "utterance_id": f"{split}/{number}.wav",
                    "samples": samples,
                    "text": text.upper(),
                    "tokens": tokenizer.encode(text),
                    "speaker": SPEAKERS[number % 3],
                    "duration": len(samples) / RATE,
                }
            )
        path = folder / shard_name("speech", split, 0, 1)
        write_tfrecord(path, [encode_example(SPEECH, row) for row in rows])
        count = {"records": len(rows), "shard_records": [len(rows)], "num_bytes": 1}
        splits[split] = {**count, "histograms": {}}
    tokenizer.save(folder)
    (folder / STATS).write_text(json.dumps({"kind": "speech", "splits": splits}))
    (folder / FINGERPRINT).write_text(json.dumps({"fingerprint": "0"}))


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer({"abcd": 3, "dab": 2}, kind="char", vocabulary=20)


@pytest.fixture(scope="session")
def records(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    write_records(folder, tokenizer)
    return RecordsDirectory(folder)


def make_model(task, records, seed=5, scale=4.0):
    """A model whose weights are far from zero, so that texts differ."""
    import keras

    keras.utils.set_random_seed(seed)
    model = task.build_model(records)
    for weight in model.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(scale * weight)
    return model
