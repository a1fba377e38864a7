import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rnnpipe import cli

ROOT = Path(__file__).resolve().parents[1]

TINY = [
    "data.image.size=32",
    "build.max_bad_fraction=0.2",
    "model.image_encoder={kind: cnn, channels: [4, 4]}",
    "data.features=null",
    "model.embedding.size=4",
    "model.question_encoder.cell.units=5",
    "model.fusion_units=4",
    "model.attention.units=6",
    "model.hidden_units=7",
    "train.epochs=2",
    "train.batch_size=8",
]


def rnnpipe(*arguments):
    """The exit code of a command, which runs in this process."""
    return cli.main([str(argument) for argument in arguments])


def sets(*settings):
    return [part for setting in settings for part in ("--set", setting)]


@pytest.fixture
def tiny(tmp_path):
    """The options of a tiny run of the embedded config."""
    options = sets(*TINY, "data.source.images=30", "data.source.questions_per_image=3")
    return [ROOT / "configs" / "vqa.yaml", *options, "--runs-dir", tmp_path / "runs"]


def test_each_command_runs_one_stage(tiny, tmp_path, capsys, monkeypatch):
    # JAX, where another test has imported it, asks TensorFlow to tell of more.
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    config = [part for part in tiny if part not in ("--runs-dir", tmp_path / "runs")]
    assert rnnpipe("train", *tiny) == 2
    assert "expected the records of this config, got none" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()

    assert rnnpipe("build", *config) == 0
    assert "Built records" in capsys.readouterr().out
    assert rnnpipe("build", *config) == 0
    assert "Reusing records" in capsys.readouterr().out
    assert rnnpipe("build", *config, "--set", "data.question.max_tokens=5") == 0
    assert "Built records" in capsys.readouterr().out

    assert rnnpipe("train", *tiny) == 0
    (run,) = (tmp_path / "runs" / "vqa").iterdir()
    assert (run / "model.keras").is_file()
    assert not (run / "metrics.json").exists()

    assert rnnpipe("evaluate", tmp_path / "runs" / "vqa") == 0
    assert (run / "metrics.json").is_file()
    assert (run / "report.html").is_file()

    image = next((tmp_path / "cache").rglob("*.jpg"))
    question = ["--question", "What color is the circle?"]
    command = [sys.executable, "-m", "rnnpipe.cli", "predict", run, "--image", image, *question]
    # In a process of its own: in this one the layers are known already.
    finished = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert "probability" in finished.stdout
    assert finished.stderr == ""
    assert (run / "prediction.png").read_bytes().startswith(b"\x89PNG")

    table = tmp_path / "questions.tsv"
    table.write_text(f"image\tquestion\n{image}\tIs it red?\nnone.jpg\tIs it red?\n")
    capsys.readouterr()
    assert rnnpipe("predict", run, "--input", table, "--format", "jsonl") == 1
    captured = capsys.readouterr()
    first, second = map(json.loads, captured.out.splitlines())
    assert first["prediction"] == first["answers"][0]["text"]
    assert "expected an image that can be read" in second["error"]
    assert "line 3: --image none.jpg: expected an image that can be read" in captured.err
    assert "1 of 2 rows have no prediction" in captured.err

    assert rnnpipe("predict", run, "--image", tmp_path / "none.jpg", *question) == 2
    assert "expected an image that can be read, got No such file" in capsys.readouterr().err
    assert rnnpipe("predict", run) == 2
    assert capsys.readouterr().err == (
        "rnnpipe: --image: expected an input of vqa, got none; add --image\n"
        "--question: expected an input of vqa, got none; add --question\n"
    )
    assert rnnpipe("predict", run, "--text", "a", "--image=a.png", "--question", "b") == 2
    assert capsys.readouterr().err == (
        "rnnpipe: --text: expected one of image, question, got text; vqa has no such input\n"
    )
    with pytest.raises(SystemExit, match="0"):
        rnnpipe("predict", run, "--help")
    options = re.findall(r"(?m)^  (--\S+)", capsys.readouterr().out)
    assert options[:3] == ["--image", "--question", "--picture"]
    assert "--input" in options


def test_the_inputs_of_predict_are_listed_for_a_run_alone(capsys):
    with pytest.raises(SystemExit, match="0"):
        rnnpipe("predict", "--help")
    shown = capsys.readouterr().out
    assert "--" not in shown.replace("--help", "")
    assert "`rnnpipe predict RUN --help` lists them" in " ".join(shown.split())


def test_a_seed_repeats_the_result(tiny, tmp_path):
    for _ in range(2):
        assert rnnpipe("run", *tiny) == 0
    first, second = sorted((tmp_path / "runs" / "vqa").iterdir())
    for name in ("metrics.json", "predictions.jsonl", "history.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_inspect_prints_the_records(drawn_vqa, tmp_path, capsys):
    config = ROOT / "configs" / "real" / "vqa_v2.yaml"
    (drawn_vqa / "train" / "COCO_train_000000000003.jpg").write_bytes(b"no image")
    settings = [f"data.source.path={drawn_vqa}", f"data.directory={tmp_path / 'records'}"]
    assert rnnpipe("build", config, *sets(*settings, *TINY, "build.workers=1")) == 0
    capsys.readouterr()
    assert rnnpipe("inspect", tmp_path / "records", "--check") == 0
    printed = capsys.readouterr().out
    for expected in (
        "vqa",
        "train",
        "question_tokens",
        "image_jpeg",
        "record 3",
        "Dead letters: 4",
        "records are whole",
    ):
        assert expected in printed


def test_config_shows_the_resolved_config_and_the_schema(capsys):
    config = ROOT / "configs" / "vqa.yaml"
    assert rnnpipe("config", config, "--set", "train.epochs=3") == 0
    assert yaml.safe_load(capsys.readouterr().out)["train"]["epochs"] == 3
    assert rnnpipe("config", "--schema") == 0
    assert "epochs" in json.dumps(json.loads(capsys.readouterr().out))


def test_a_misspelt_option_of_beam_is_reported_before_any_work(tmp_path, capsys):
    config, raw = ROOT / "configs" / "vqa.yaml", tmp_path / "raw"
    line = ["build", config, "--set", f"data.source.path={raw}"]
    assert rnnpipe(*line, "--", "--runner=FlinkRunner", "--flink_mastr=localhost:8081") == 2
    assert "got --flink_mastr; did you mean --flink_master?" in capsys.readouterr().err
    assert not raw.exists()


def test_help_imports_neither_tensorflow_nor_beam():
    script = (
        "import sys\n"
        "from rnnpipe import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'apache_beam', 'pydantic', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT)


def test_config_imports_only_what_describes_a_run():
    script = (
        "import sys\n"
        "from rnnpipe import cli\n"
        "from rnnpipe.shipped import list_configs\n"
        "assert not any(cli.main(['config', name]) for name in list_configs())\n"
        "heavy = {'PIL', 'apache_beam', 'av', 'keras', 'numpy', 'pandas', 'pycocotools', 'rich',\n"
        "    'sacrebleu', 'sentencepiece', 'tensorflow'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT)


def broken(case, tmp_path, shared_data, drawn_vqa):
    """The arguments of a command that a user got wrong, and what it should say."""
    vqa, real = ROOT / "configs" / "vqa.yaml", ROOT / "configs" / "real" / "vqa_v2.yaml"
    drawn = sets(f"data.source.path={drawn_vqa}", *TINY, "build.workers=1")
    match case:
        case "unknown key":
            return ["run", vqa, *sets("train.epoch=2")], "did you mean"
        case "wrong type":
            return ["run", vqa, *sets("train.epochs=many")], "train.epochs"
        case "missing file":
            return ["run", tmp_path / "none.yaml"], "none.yaml"
        case "no raw data":
            return ["run", real, *sets(f"data.source.path={tmp_path / 'none'}")], "none"
        case "questions without images":
            path = shared_data / "vqa_v2_text"
            return ["run", real, *sets(f"data.source.path={path}")], "images"
        case "images that do not decode":
            for image in (drawn_vqa / "train").iterdir():
                image.write_bytes(b"no image")
            return ["run", real, *drawn], "build.max_bad_fraction"
        case "no records directory":
            return ["inspect", tmp_path], "expected a records directory"
        case "not one's own directory":
            return ["run", vqa, *sets(f"data.directory={ROOT}")], "other things in it"
        case "unwritable records":
            return ["run", vqa, *sets("data.directory=/dev/null/records")], "/dev/null/records"
        case "unwritable runs":
            return [
                "run",
                vqa,
                "--runs-dir",
                "/dev/null/runs",
            ], "/dev/null/runs: expected a folder to write runs to"
        case "no answers above the threshold":
            return [
                "run",
                real,
                *drawn,
                *sets("data.answers.min_answer_count=9999"),
            ], "min_answer_count"
        case "no split to score on":
            return ["run", real, *drawn, *sets("data.splits.test=0")], "evaluate.splits: expected"
        case "no file of weights":
            backbone = "{kind: application, name: ResNet50, weights: none.h5}"
            encoder = f"model.image_encoder={{kind: backbone, backbone: {backbone}}}"
            config = ROOT / "configs" / "captioning.yaml"
            expected = "model.image_encoder.backbone.weights: expected a file"
            return ["run", config, *sets(encoder)], expected
        case "no run":
            return ["evaluate", tmp_path], "expected the folder of a trained run"


@pytest.mark.parametrize(
    "case",
    [
        "unknown key",
        "wrong type",
        "missing file",
        "no raw data",
        "questions without images",
        "images that do not decode",
        "no records directory",
        "not one's own directory",
        "unwritable records",
        "unwritable runs",
        "no answers above the threshold",
        "no split to score on",
        "no file of weights",
        "no run",
    ],
)
def test_mistakes_are_reported_and_leave_nothing(
    case, tmp_path, shared_data, drawn_vqa, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    arguments, expected = broken(case, tmp_path, shared_data, drawn_vqa)
    before = sorted(tmp_path.rglob("*"))
    assert rnnpipe(*arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("rnnpipe: ")
    assert expected in printed
    assert "Traceback" not in printed
    made = set(tmp_path.rglob("*")) - set(before)
    written = [path for path in made if path.is_file()]
    assert not [path for path in written if {"records", "runs"} & set(path.parts)]
