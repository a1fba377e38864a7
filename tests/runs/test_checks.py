from types import SimpleNamespace

import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.runs.checks import check_splits
from rnnpipe.tasks import find_schemas

SOURCES = {
    "captioning": "shapes_captions",
    "language_model": "python_topics",
    "image_classification": "cluttered_shapes",
    "text_classification": "sentiment_grammar",
    "translation": "translation_grammar",
    "video_labeling": "moving_shapes",
    "vqa": "shapes",
}
TOLD = (
    "evaluate.splits: expected splits that the records have (train, validation), got test; name "
    "others, or give data.splits.test a share above 0"
)


@pytest.mark.parametrize("task", find_schemas())
def test_every_task_is_told_of_a_split_that_cannot_be_scored(task, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"task: {task}\ndata:\n  source: {{kind: {SOURCES[task]}}}\n")
    check_splits(load_config(path, find_schemas()), ["train", "validation", "test"])
    with pytest.raises(UserError) as fault:
        check_splits(load_config(path, find_schemas()), ["train", "validation"])
    assert str(fault.value) == TOLD
    others = load_config(path, find_schemas(), ["evaluate.splits=[validation, train]"])
    check_splits(others, ["train", "validation"])


def test_a_split_to_validate_on_must_be_there():
    config = SimpleNamespace(evaluate=SimpleNamespace(splits=["test"]))
    with pytest.raises(UserError, match=r"data.splits.validation: expected a split to train with"):
        check_splits(config, ["train", "test"])
