"""A few opinions of three classes, from raw files to records."""

import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.text_classification.task import TextClassificationTask
from rnnpipe.transforms.build import Build

OPINIONS = {
    "bad": ["a dull film", "dull and long", "not good"],
    "good": ["a good film", "good and short"],
    "mixed": ["good but long"],
}


@pytest.fixture(scope="package")
def task(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("opinions")
    folder = tmp_path / "raw"
    folder.mkdir()
    for label, texts in OPINIONS.items():
        lines = [f"{text} , number {n}" for n in range(16) for text in texts]
        (folder / f"opinions.{label}").write_text("\n".join(lines) + "\n")
    (tmp_path / "config.yaml").write_text(
        "task: text_classification\n"
        "data:\n"
        f"  source: {{kind: label_files, path: {folder}}}\n"
        "  text: {max_tokens: 5, keep: start}\n"
        "  splits: {validation: 0.2, test: 0.3}\n"
        "model:\n"
        "  embedding: {size: 5}\n"
        "  recurrence: {cell: {units: 4}}\n"
        "  pooling: {kind: attention, units: 3, glimpses: 2, words: true}\n"
        "train: {batch_size: 8, label_smoothing: 0.1}\n"
        "evaluate: {batch_size: 16}\n"
    )
    return TextClassificationTask(load_config(tmp_path / "config.yaml", find_schemas()))


@pytest.fixture(scope="package")
def records(task, tmp_path_factory):
    return Build.of(task.plan_build()).run(tmp_path_factory.mktemp("built") / "records")
