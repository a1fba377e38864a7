"""Finished runs of every task that no training made: two models of the same records."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

import rnnpipe
from rnnpipe.config.dump import dump_config, dump_settings
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.model import save_model
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.storage.atomic import json_text
from rnnpipe.tasks import make_task

MAX_LENGTH = 6
SEARCH = f"evaluate.search={{beam_width: 1, n_best: 1, max_length: {MAX_LENGTH}}}"
TINY_CNN = "model.image_encoder.channels=[4, 4]"

# The config of each task, its settings, and those of another model of the same records.
RUNS = {
    "text_classification": (
        "sentiment",
        ["data.source.sentences=120", "model.embedding.size=5", "model.recurrence.cell.units=4"],
        ["model.pooling={kind: last}", "model.recurrence.cell={kind: gru, units: 3}"],
    ),
    "translation": (
        "translation",
        [
            "data.source.pairs=100",
            "model.embedding.size=6",
            "model.encoder.cell={kind: gru, units: 5}",
            "model.decoder.cell={kind: gru, units: 7}",
            "model.decoder.attention.units=4",
            SEARCH,
        ],
        [
            "model.encoder={cell: {kind: lstm, units: 4}, depth: 2}",
            "model.decoder.cell={kind: lstm, units: 6}",
        ],
    ),
    "captioning": (
        "captioning",
        [
            "data.source.images=60",
            "data.image.size=32",
            "data.caption.min_count=1",
            "build.max_bad_fraction=0.2",
            "model.embedding.size=6",
            "model.decoder.cell.units=7",
            "model.decoder.attention.mechanism.units=5",
            TINY_CNN,
            SEARCH,
        ],
        ["model.image_encoder.channels=[5, 6]", "model.decoder.cell.units=4"],
    ),
    "vqa": (
        "vqa",
        [
            "data.source.images=30",
            "data.source.questions_per_image=3",
            "data.image.size=32",
            "build.max_bad_fraction=0.2",
            "model.embedding.size=4",
            "model.question_encoder.cell.units=5",
            "model.fusion_units=4",
            "model.attention.units=6",
            "model.hidden_units=7",
            TINY_CNN,
        ],
        ["model.attention.glimpses=1", "model.hidden_units=5"],
    ),
    "image_classification": (
        "glimpse",
        [
            "data.source.images=90",
            "data.source.size=32",
            "data.image.size=32",
            "model.reader.cell.units=5",
            "model.reader.attention.units=4",
            "model.reader.steps=3",
            TINY_CNN,
        ],
        ["model.reader.steps=2", "model.image_encoder.channels=[3, 5]"],
    ),
    "video_labeling": (
        "video",
        [
            "data.source.clips=28",
            "data.frames.size=16",
            "model.frame_encoder.units=4",
            "model.frame_encoder.image_encoder.channels=[3, 3]",
            "model.recurrence.cell.units=3",
        ],
        ["model.recurrence.cell={kind: lstm, units: 5}", "model.recurrence.learned_state=true"],
    ),
    "speech": (
        "speech",
        [
            "data.source.utterances=12",
            "model.subsampling={filters: 3, kernel_size: 3}",
            "model.encoder={cell: {kind: gru, units: 5}, bidirectional: false}",
            "evaluate.search={beam_width: 1, n_best: 1}",
        ],
        [
            "model.encoder.cell={kind: lstm, units: 4}",
            "model.encoder.depth=2",
            "model.encoder.learned_state=true",
        ],
    ),
    "language_model": (
        "language_model",
        [
            "data.splits={validation: 0.3, test: 0.3}",
            "model.embedding.size=6",
            "model.recurrence.cell.units=6",
        ],
        ["model.recurrence={cell: {kind: gru, units: 5}, learned_state: true}"],
    ),
}


SCALES = {"image_classification": 1.3, "vqa": 1.3}
"""By which weights are multiplied: three times is too much for those that read pixels."""


@dataclass(frozen=True)
class Pair:
    """Two runs, the ensemble of both, and the folder of their raw data.

    Args:
        own: the first run.
        other: a run of another model.
        together: a copy of the first whose config has the other as a member.
        records: their records.
        raw: the raw data.
    """

    own: Any
    other: Any
    together: Any
    records: RecordsDirectory
    raw: Path

    def mean(self, outputs):
        """The mean over both models of what a function of a model returns."""
        return np.mean([outputs(run.model) for run in (self.own, self.other)], axis=0)


def make_run(folder, config, records, seed):
    """A finished run whose weights are drawn: far from zero, so that all answers differ."""
    run, task = RunDirectory(folder), make_task(config)
    keras.utils.set_random_seed(seed)
    model = task.build_model(records)
    for weight in model.trainable_weights:
        weight.assign(SCALES.get(config.task, 3.0) * weight)
    folder.mkdir(parents=True)
    config = make_paths_absolute(config)
    made_from = {"records": records.fingerprint, "records_from": records.made_from}
    started = f"2026-01-01T00:00:0{seed}+00:00"
    environment = {"started": started, **made_from, "settings": dump_settings(config)}
    history = f"epoch,loss,val_loss,{task.monitor()[0]}\n1,1.0,1.0,1.0\n"
    run.seal.begin()
    run.seal.write_text(run.config, dump_config(config))
    run.seal.write_text(run.environment, json_text(environment))
    run.seal.write_text(run.history, history)
    with run.seal.write(run.vocabulary) as vocabulary:
        task.save_vocabulary(records, vocabulary)
    save_model(model, run.model)
    return rnnpipe.load(folder)


def copy_run(run, folder, *members):
    """A copy of a run, with members in its config."""
    shutil.copytree(run.path, folder)
    overrides = {"evaluate.ensemble": [str(member) for member in members]}
    config = rnnpipe.load_config(run.config, overrides)
    copy = RunDirectory(folder)
    copy.seal.write_text(copy.config, dump_config(config))
    return rnnpipe.load(folder)
