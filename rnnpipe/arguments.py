"""The arguments of the command line."""

import argparse
from typing import Any

from rnnpipe import __version__

_EXAMPLES = """\
examples:
  rnnpipe run vqa
  rnnpipe run vqa --set train.epochs=2 --set model.attention.glimpses=1
  rnnpipe init vqa > mine.yaml
  rnnpipe resume runs/vqa
  rnnpipe sweep sentiment --space space.yaml --trials 20 --jobs 2
  rnnpipe compare runs/vqa runs/larger
  rnnpipe predict runs/sentiment --text "Not a bad film, but far too long."
  rnnpipe predict runs/vqa --image photo.jpg --question "What colour is the circle?"
  rnnpipe predict runs/captioning --image photo.jpg
  rnnpipe predict runs/video --video clip.mp4
  rnnpipe predict runs/translation --input texts.en --output texts.velu.txt
  rnnpipe predict translator --input 'texts/*.csv' --output predicted --workers 2
  rnnpipe score runs/translation --input pairs.tsv --format tsv
  rnnpipe export runs/translation --format onnx --output translator
  rnnpipe build vqa -- --runner=FlinkRunner --flink_master=localhost:8081
"""

_BEAM = "Options after `--` are Beam's, e.g. `-- --runner=FlinkRunner`."


def make_parser() -> argparse.ArgumentParser:
    """The parser of all verbs; of the arguments that it reads, `verb` is the name of one."""
    parser = argparse.ArgumentParser(
        prog="rnnpipe",
        description="From raw data to a trained, explained recurrent model.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rnnpipe {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    stages = (_add_run, _add_build, _add_train, _add_resume, _add_evaluate)
    uses = (_add_sweep, _add_compare, _add_predict, _add_score, _add_export, _add_inspect)
    for add in (_add_init, _add_config, *stages, *uses):
        add(verbs)
    return parser


def _add_verb(verbs: Any, name: str, text: str, **options: Any) -> argparse.ArgumentParser:
    description = options.pop("description", f"{text[0].upper()}{text[1:]}.")
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=text, description=description, **options
    )
    return verb


def _take_config(verb: argparse.ArgumentParser, **options: Any) -> None:
    text = "a YAML file or the name of a shipped config"
    verb.add_argument("config", metavar="CONFIG", help=text, **options)
    _take_overrides(verb, "a key of the config, e.g. train.epochs=2")


def _take_overrides(verb: argparse.ArgumentParser, what: str) -> None:
    text = f"set {what}; may be repeated"
    verb.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE", help=text
    )


def _take_runs_dir(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--runs-dir", default="runs", help="the folder of all runs (default: runs)")


def _take_run(verb: argparse.ArgumentParser, name: str = "run") -> None:
    text = "the folder of a run, or of several: then the newest"
    verb.add_argument(name, metavar="RUN", help=text)


def _take_inputs(verb: argparse.ArgumentParser) -> None:
    text = "options of the run's task"
    verb.add_argument("inputs", nargs=argparse.REMAINDER, metavar="INPUTS", help=text)


def _add_init(verbs: Any) -> None:
    verb = _add_verb(verbs, "init", "print a shipped config to edit, or list them")
    verb.add_argument("name", nargs="?", metavar="NAME", help="its name, e.g. vqa")


def _add_run(verbs: Any) -> None:
    verb = _add_verb(verbs, "run", "build, train, evaluate, report", epilog=_BEAM)
    _take_config(verb)
    _take_runs_dir(verb)


def _add_build(verbs: Any) -> None:
    verb = _add_verb(verbs, "build", "build the records", epilog=_BEAM)
    _take_config(verb)


def _add_train(verbs: Any) -> None:
    verb = _add_verb(verbs, "train", "train on finished records")
    _take_config(verb)
    _take_runs_dir(verb)


def _add_resume(verbs: Any) -> None:
    verb = _add_verb(verbs, "resume", "continue an interrupted run")
    _take_run(verb)


def _add_evaluate(verbs: Any) -> None:
    verb = _add_verb(verbs, "evaluate", "score a run and write its report")
    _take_run(verb)
    _take_overrides(
        verb,
        "a key of evaluate, e.g. evaluate.search.beam_width=10, or of other data, e.g. "
        "data.source.path=…: the results go into a folder of their own in the run",
    )


def _add_sweep(verbs: Any) -> None:
    verb = _add_verb(
        verbs,
        "sweep",
        "train many runs of a config and compare them",
        description="Trains runs with settings that are drawn from a space, or with other seeds. "
        "The same command goes on with a sweep that was interrupted.",
    )
    _take_config(verb)
    varied = verb.add_mutually_exclusive_group(required=True)
    text = "a YAML file: which settings are drawn, and how"
    varied.add_argument("--space", metavar="SPACE", help=text)
    text = "runs that differ by their seed alone, which are evaluated too"
    varied.add_argument("--seeds", metavar="N", help=text)
    text = "how many trials there are in the end (default: 20; of a grid all)"
    verb.add_argument("--trials", default="20", metavar="N", help=text)
    text = "how many run at the same time (default: 1)"
    verb.add_argument("--jobs", default="1", metavar="N", help=text)
    text = "the folder of the sweep (default: sweeps/ and the config's name)"
    verb.add_argument("--output", metavar="DIR", help=text)


def _add_compare(verbs: Any) -> None:
    verb = _add_verb(verbs, "compare", "compare evaluated runs of one task")
    text = "the folder of a run, of several: then the newest, or of an evaluation of a run"
    verb.add_argument("runs", nargs="+", metavar="RUN", help=text)
    text = "the only split to compare (default: all that all runs were evaluated on)"
    verb.add_argument("--split", metavar="SPLIT", help=text)
    text = "the file of the page (default: comparison.html)"
    verb.add_argument("--output", default="comparison.html", metavar="PAGE", help=text)


def _add_predict(verbs: Any) -> None:
    verb = _add_verb(
        verbs,
        "predict",
        "predict for inputs of your own, one or many",
        description="The inputs depend on the task of the run: `rnnpipe predict RUN --help` lists "
        "them, and how to predict for files of them.",
        usage="rnnpipe predict RUN [INPUTS]",
    )
    _take_run(verb, "model")  # which a job may read from an object store
    _take_inputs(verb)


def _add_score(verbs: Any) -> None:
    verb = _add_verb(
        verbs,
        "score",
        "score given texts: how likely a run finds them",
        description="The inputs depend on the task of the run: `rnnpipe score RUN --help` lists "
        "them.",
        usage="rnnpipe score RUN [INPUTS]",
    )
    _take_run(verb)
    _take_inputs(verb)


def _add_export(verbs: Any) -> None:
    verb = _add_verb(verbs, "export", "write a run as a folder that answers without it")
    _take_run(verb)
    text = "onnx, saved_model, litert or mlflow"
    verb.add_argument("--format", required=True, metavar="FORMAT", help=text)
    text = "a new folder (default: exports/FORMAT in that of the run)"
    verb.add_argument("--output", metavar="DIR", help=text)
    text = "int8: smaller weights of onnx, and answers that differ a little"
    verb.add_argument("--quantize", metavar="DTYPE", help=text)
    text = "write a function that takes strings too, of a task that reads a text (saved_model)"
    verb.add_argument("--text-in-graph", action="store_true", help=text)


def _add_config(verbs: Any) -> None:
    verb = _add_verb(verbs, "config", "show a config with its defaults, or the JSON schema")
    _take_config(verb, nargs="?")
    verb.add_argument("--schema", action="store_true", help="print the JSON schema of all configs")


def _add_inspect(verbs: Any) -> None:
    verb = _add_verb(verbs, "inspect", "show the contents of a records directory")
    verb.add_argument("directory", metavar="DIRECTORY", help="a records directory")
    verb.add_argument("--examples", default="3", metavar="N", help="records to show (default: 3)")
    verb.add_argument("--check", action="store_true", help="read every record and check it")
