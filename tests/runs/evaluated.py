"""Evaluated runs of any task that no model made: their files alone, without TensorFlow."""

import rnnpipe
from rnnpipe.config.dump import dump_config, dump_settings
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.storage.atomic import json_text, jsonl_text
from rnnpipe.tasks import make_task


def make_evaluated(
    folder, name, rows, *, settings=(), metrics=None, records="a" * 64, split="test", more=None
):
    """A run folder with predictions, and the metrics that follow from them.

    Args:
        folder: where it goes.
        name: of a shipped config.
        rows: of predictions.
        settings: of the config.
        metrics: further ones, or other values.
        records: the fingerprint of its records.
        split: that of the rows.
        more: further splits with their rows.
    """
    run, config = RunDirectory(folder), rnnpipe.load_config(name, list(settings))
    config, task = make_paths_absolute(config), make_task(config)
    by_split = {split: rows, **(more or {})}
    scores = {
        each: {metric.name: metric.score(of_split) for metric in task.corpus_metrics()}
        | (metrics or {})
        for each, of_split in by_split.items()
    }
    folder.mkdir(parents=True)
    run.seal.begin()
    run.seal.write_text(run.config, dump_config(config))
    environment = {
        "started": "2026-01-01T00:00:00+00:00",
        "python": "3.11.7",
        "platform": "Linux",
        "processors": 2,
        "libraries": {"keras": "3.15.1"},
        "records": records,
        "settings": dump_settings(config),
    }
    run.seal.write_text(run.environment, json_text(environment))
    monitor = task.monitor()[0]
    run.seal.write_text(run.history, f"epoch,loss,{monitor}\n0,2.0,1.0\n1,1.0,2.0\n")
    run.seal.write_text(run.model, "a model that nobody loads")
    lines = [{"split": each, **row} for each, rows in by_split.items() for row in rows]
    run.seal.write_text(run.metrics, json_text(scores))
    run.seal.write_text(run.predictions, jsonl_text(lines))
    return run


def classified(answers, label="pos"):
    """Rows of a text classifier: one for each answer."""
    return [
        {
            "text_id": f"film:{number}",
            "text": f"text {number}",
            "label": label,
            "prediction": answer,
            "top": [[answer, 0.9]],
        }
        for number, answer in enumerate(answers)
    ]
