import json
from collections import Counter
from typing import Any

import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import FINGERPRINT, SOURCE, STATS, TARGET, shard_name
from rnnpipe.records.specs import TEXT_PAIR
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.tasks.translation.config import TranslationConfig
from rnnpipe.tasks.translation.task import TranslationTask
from rnnpipe.text.tokenizer import train_tokenizer

WORDS = {"a": "ein", "red": "roter", "old": "alter", "dog": "hund", "man": "mann", "runs": "läuft"}
"""A language without grammar: each word has its translation, in the same order."""

SENTENCES = {
    "train": ["a dog runs", "a red dog runs", "a man runs", "an old man runs", "old dog runs"],
    "validation": ["a old dog runs", "a red man runs"],
    "test": ["red dog runs", "a red old man runs", "a red cat old old man runs"],
}

OPTIONS: dict[str, Any] = {
    "task": "translation",
    "data": {"source": {"kind": "translation_grammar"}, "text": {"joint": False, "max_tokens": 6}},
    "model": {
        "embedding": {"size": 6},
        "share_embedding": False,
        "encoder": {"cell": {"units": 5}},
        "decoder": {"cell": {"units": 7}, "attention": {"units": 6}},
    },
    "train": {"batch_size": 2, "epochs": 2, "keep_best": {"average": 2}},
    "evaluate": {"search": {"beam_width": 3, "n_best": 2, "max_length": 8}},
}


def translate(sentence):
    return " ".join(WORDS.get(word, word) for word in sentence.split())


def make_task(model=OPTIONS["model"], **evaluate):
    options = {**OPTIONS, "model": model, "evaluate": {**OPTIONS["evaluate"], **evaluate}}
    return TranslationTask(load_settings(TranslationConfig, options))


def make_task_with(model, **train):
    """A task with other settings of its model and training."""
    options = {
        **OPTIONS,
        "model": {**OPTIONS["model"], **model},
        "train": {**OPTIONS["train"], **train},
    }
    return TranslationTask(load_settings(TranslationConfig, options))


@pytest.fixture
def task():
    return make_task()


@pytest.fixture
def records(tmp_path):
    """The sentences above with their translations."""
    return write_records(tmp_path / "records")


def write_records(folder):
    """The sentences above with their translations, in a new folder."""
    pairs = {split: [(s, translate(s)) for s in each] for split, each in SENTENCES.items()}
    tokenizers = {}
    for place, side in enumerate((SOURCE, TARGET)):
        words = Counter(word for pair in pairs["train"] for word in pair[place].split())
        tokenizers[side] = train_tokenizer(words, kind="word", vocabulary=30)
        (folder / side).mkdir(parents=True)
        tokenizers[side].save(folder / side)
    stats: dict[str, Any] = {"kind": "text_pair", "dead_letters": {}, "splits": {}}
    for split, each in pairs.items():
        rows = [
            {
                "pair_id": f"{split}:{number}",
                "source": source,
                "target": target,
                "source_tokens": tokenizers[SOURCE].encode(source),
                "target_tokens": tokenizers[TARGET].encode(target),
            }
            for number, (source, target) in enumerate(each)
        ]
        path = folder / shard_name("text_pair", split, 0, 1)
        write_tfrecord(path, [encode_example(TEXT_PAIR, row) for row in rows])
        lengths = Counter(str(len(row["source_tokens"])) for row in rows)
        stats["splits"][split] = {
            "records": len(rows),
            "shard_records": [len(rows)],
            "num_bytes": (folder / path.name).stat().st_size,
            "histograms": {"source_tokens": lengths},
        }
    (folder / STATS).write_text(json.dumps(stats))
    (folder / FINGERPRINT).write_text(json.dumps({"fingerprint": "handmade"}))
    return RecordsDirectory(folder)
