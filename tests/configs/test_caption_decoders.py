import json

import pytest

from rnnpipe import cli
from rnnpipe.shipped import shipped_config
from tests.models.caption_decoders import DECODERS

CONFIG = shipped_config("captioning")

pytestmark = pytest.mark.slow

TINY = [
    "data.source.images=60",
    "data.image.size=32",
    "model.image_encoder.channels=[4, 4]",
    "train.epochs=1",
    "train.batch_size=24",
    "evaluate.search={beam_width: 2, n_best: 2, max_length: 6}",
]
TRAIN = {
    "soft": ["train.doubly_stochastic=0.5"],
    "hard": ["train.reinforce={reward_weight: 0.5}"],
    "top_down": ["evaluate.search.coverage_penalty=0.1"],
}
"""What else a config with these decoders may say."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Where raw data and records lie that all decoders are trained on."""
    return tmp_path_factory.mktemp("shared")


@pytest.mark.parametrize("kind", DECODERS)
def test_every_decoder_goes_from_config_to_prediction(kind, shared, tmp_path, capsys):
    settings = [
        *TINY,
        f"data.source.path={shared / 'raw'}",
        f"data.directory={shared / 'records'}",
        "model.embedding.size=5",
        f"model.decoder={json.dumps(DECODERS[kind])}",
        *TRAIN.get(kind, []),
    ]
    arguments = [part for setting in settings for part in ("--set", setting)]
    assert cli.main(["run", str(CONFIG), "--runs-dir", str(tmp_path), *arguments]) == 0
    [run] = (tmp_path / "captioning").iterdir()
    scores = json.loads((run / "metrics.json").read_text())["test"]
    assert scores["perplexity"] > 1
    assert 0 <= scores["bleu_1"] <= 1
    assert ("attention_on_object" in scores) <= (kind != "show_and_tell")  # only of true captions
    report = (run / "report.html").read_text()
    assert "Good captions" in report
    lines = (run / "predictions.jsonl").read_text().splitlines()
    assert report.count("data:image/png;base64,") >= min(len(lines), 8)

    image = next((shared / "raw").rglob("*.jpg"))
    capsys.readouterr()
    assert cli.main(["predict", str(run), "--image", str(image)]) == 0
    assert "probability" in capsys.readouterr().out
    assert (run / "prediction.png").read_bytes().startswith(b"\x89PNG")
