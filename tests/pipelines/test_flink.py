"""The command lines of all builds write on a Flink cluster the bytes that they write here."""

import os
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from rnnpipe.cli import main as rnnpipe
from rnnpipe.pipelines.predict import main as predict
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.sources.generated.moving.writer import FRAME_LABELS
from tests.predictors.beam.handmade import sentence, write_export
from tests.transforms.kinds import KINDS, contents
from tests.transforms.recipes.backbone import SIDE, write_weights

ROOT = Path(__file__).resolve().parents[2]
COMMON = "--records_per_shard 8 --max_bad_fraction 0.2 --splits.validation 0.2 --splits.test 0.2"
NETWORK = (
    "--features.backbone.kind application --features.backbone.name MobileNet "
    f"--features.backbone.weights {{weights}} --features.image_size {SIDE} --features.batch_size 4"
)
CLIPS = f"--source clips --path {{raw}} --frame-labels {FRAME_LABELS} --rate 6 --image-size 16"

# The kind of record: the pipeline, the kind of raw data, and its arguments.
JOBS = {
    "vqa": ("vqa", "vqa", "--source.kind vqa_v2 --source.path {raw} --image.size 16"),
    "caption": (
        *("coco_captions", "caption"),
        "--source.kind coco_captions --source.path {raw} --image.size 16",
    ),
    "video": ("video_frames", "video", CLIPS),
    "image_class": ("image_classes", "image_class", "--path {raw} --size 16"),
    "text_class": (
        *("text_classes", "text_class"),
        "--source.kind table --source.path {raw} --text.tokenizer bpe --text.vocabulary 40 "
        "--repeats.duplicates drop",
    ),
    "text_pair": (
        *("text_pairs", "text_pair"),
        "--source.kind parallel --source.path {raw} --source.source de --source.target en "
        "--text.tokenizer unigram --text.vocabulary 50 --repeats.leaks drop",
    ),
    "text_stream": (
        *("text_stream", "text_stream"),
        "--path {raw}/book.txt --begin '^# ' --symbols char --vocabulary 64",
    ),
    "speech": (
        *("speech", "speech"),
        "--source.kind table --source.path {raw} --source.start start --source.end end "
        "--sound.rate 8000",
    ),
    "caption_features": (
        *("coco_captions", "caption"),
        f"--source.kind coco_captions --source.path {{raw}} --image.size 16 {NETWORK}",
    ),
    "video_features": ("video_frames", "video", f"{CLIPS} {NETWORK}"),
}

# Little data for every config of a task; the shares of small data are large.
LITTLE = ["build.records_per_shard=16", "data.splits={validation: 0.2, test: 0.2}"]
CONFIGS = {
    "captioning": [*LITTLE, "data.source.images=40", "data.image.size=16"],
    "language_model": LITTLE,
    "glimpse": [*LITTLE, "data.source.images=60", "data.image.size=16"],
    "speech": [*LITTLE, "data.source.utterances=40"],
    "sentiment": ["build.records_per_shard=64", "data.source.sentences=400"],
    "translation": ["build.records_per_shard=64", "data.source.pairs=400"],
    "video": [*LITTLE, "data.source.clips=40", "data.source.size=16", "data.frames.size=16"],
    "vqa": [
        *LITTLE,
        "data.source.images=40",
        "data.image.size=16",
        "data.answers.min_answer_count=1",
    ],
}


def test_every_pipeline_and_every_config_is_tried():
    files = (ROOT / "pipelines").glob("*.py")
    assert {pipeline for pipeline, _, _ in JOBS.values()} | {"predict"} == {
        path.stem for path in files if "def main(" in path.read_text()
    }
    assert CONFIGS.keys() == {path.stem for path in (ROOT / "configs").glob("*.yaml")}


def line_of(kind, folder):
    """The arguments of a pipeline for raw data that this writes, of which some is broken."""
    _, raw_kind, message = JOBS[kind]
    raw = KINDS[raw_kind](folder / "raw", 40, 1)
    weights = folder / "backbone.weights.h5"
    if "{weights}" in message:
        write_weights(weights, alpha=1.0)
    path = getattr(raw.source, "folder", folder / "raw")  # below it, if it is drawn
    return shlex.split(f"{message} {COMMON}".format(raw=path, weights=weights))


@pytest.mark.cluster
@pytest.mark.parametrize("kind", JOBS)
def test_a_pipeline_writes_the_same_bytes_on_flink(kind, cluster, tmp_path, capsys):
    main = import_module(f"rnnpipe.pipelines.{JOBS[kind][0]}").main
    line = line_of(kind, tmp_path)
    here, there = tmp_path / "here", tmp_path / "there"
    assert main([*line, "--directory", str(here)]) == 0
    expected = capsys.readouterr().out
    assert main([*line, "--directory", str(there), "--", *cluster.options()]) == 0
    assert capsys.readouterr().out == expected  # the table of what was made and left out
    assert contents(here) == contents(there)
    records = RecordsDirectory.open(there)
    assert records.spec.name == kind
    assert records.stats["dead_letters"]


@pytest.mark.cluster
@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_is_built_with_the_same_bytes_on_flink(name, cluster, tmp_path):
    line = ["build", str(ROOT / "configs" / f"{name}.yaml")]
    line += [part for override in CONFIGS[name] for part in ("--set", override)]
    here, there = tmp_path / "here", tmp_path / "there"
    assert rnnpipe([*line, "--set", f"data.directory={here}"]) == 0
    message = ["--set", f"data.directory={there}", "--", *cluster.options()]
    assert rnnpipe([*line, *message]) == 0
    assert contents(here) == contents(there)
    assert min(RecordsDirectory.open(there).splits.values()) > 0


@pytest.mark.cluster
def test_rows_are_predicted_with_the_same_bytes_on_flink(cluster, tmp_path):
    model = write_export(tmp_path / "export")
    rows = [f'"{sentence(number)}"' for number in range(200)]
    rows[100] = "a,b"
    (tmp_path / "rows.csv").write_text("\n".join(["text", *rows]) + "\n")
    line = [str(model), "--input", str(tmp_path / "rows.csv"), "--rows-per-shard", "16", "--output"]
    here, there = tmp_path / "here", tmp_path / "there"
    assert predict([*line, str(here)]) == 1
    assert predict([*line, str(there), "--", *cluster.options()]) == 1
    assert contents(here) == contents(there)
    assert len(contents(here)) == 13 + 3


@pytest.mark.cluster
@pytest.mark.parametrize("program", ["rnnpipe.pipelines.text_pairs", "rnnpipe.cli"])
def test_options_of_the_manual_survive_the_shell(program, cluster, tmp_path):
    if program == "rnnpipe.cli":
        config = ROOT / "configs" / "translation.yaml"
        few = [part for override in CONFIGS["translation"] for part in ("--set", override)]
        line, output = ["build", str(config), *few, "--set"], "data.directory="
    else:
        line, output = [*line_of("text_pair", tmp_path), "--directory"], ""
    python = shlex.quote(sys.executable)
    options = f"$({python} -m tools.cluster.flink options)"
    environment = {**os.environ, "RNNPIPE_FLINK": str(cluster.components.home)}

    def build(name, after):
        message = shlex.join([*line, f"{output}{tmp_path / name}"])
        command = f"{python} -m {program} {message} {after}"
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return contents(tmp_path / name)

    assert build("here", "") == build("there", f"-- {options}")
