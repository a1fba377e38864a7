"""What an installation lacks is named, with the extra that brings it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.requirements import INCLUDES, MODULES, explain, require
from rnnpipe.tasks import find_tasks
from tests.without_modules import call_with, run_with

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def own(extra):
    """The distributions that an extra adds by itself."""
    names = {re.match(r"[\w-]+", line).group() for line in EXTRAS[extra]}
    return names - {"rnnpipe"}


@pytest.mark.parametrize("extra", MODULES)
def test_the_modules_of_an_extra_belong_to_its_distributions(extra):
    distributions = packages_distributions()
    covered = set()
    for module in MODULES[extra]:
        of_module = distributions.get(module.split(".")[0], [module])
        brings = own(extra) & {name.lower().replace("_", "-") for name in of_module}
        assert brings, f"no distribution of {extra} has {module}"
        covered |= brings
    assert covered == own(extra)


def test_extras_include_the_declared_requirements():
    included = {
        extra: tuple(re.search(r"rnnpipe\[(.+)\]", line).group(1).split(","))
        for extra, lines in EXTRAS.items()
        for line in lines
        if line.startswith("rnnpipe[") and extra in MODULES
    }
    assert included == dict(INCLUDES)


def test_all_is_everything_but_backends_stores_and_serving():
    (line,) = EXTRAS["all"]
    included = set(re.search(r"\[(.+)\]", line).group(1).split(","))
    included |= {extra for name in included for extra in INCLUDES.get(name, ())}
    others = {"jax", "torch", "aws", "gcp", "hub", "mlflow", "tensorflow-text", "wandb"}
    assert included == MODULES.keys() - others


def test_the_page_on_installation_lists_the_packages_of_every_extra():
    page = (ROOT / "docs/installation.md").read_text().partition("| extra | packages |")[2]
    rows = [re.findall(r"`([\w-]+)`", line) for line in page.splitlines() if line.startswith("| `")]
    listed = {extra: (set(names) & MODULES.keys(), set(names)) for extra, *names in rows}
    expected = {}
    for extra in MODULES:
        included = {*INCLUDES.get(extra, ()), *({extra} & own(extra))}  # `jax` is `jax`
        expected[extra] = included, included | own(extra)
    assert listed == expected


def test_missing_requirements_are_named_with_the_command(monkeypatch):
    for module in ("av", "matplotlib", "yaml"):
        monkeypatch.setitem(sys.modules, module, None)
    require("translation", where="a run")
    with pytest.raises(UserError) as caught:
        require("video", "report", "translation", where="a run")
    assert str(caught.value) == (
        "a run: expected av, yaml, matplotlib to be installed, got none; "
        "pip install 'rnnpipe[video,report]'"
    )


def test_a_module_within_a_missing_package_is_missing(monkeypatch):
    monkeypatch.setitem(MODULES_OF_TEST, "odd", ("no_such_package.module",))
    monkeypatch.setattr("rnnpipe.requirements.MODULES", MODULES_OF_TEST)
    with pytest.raises(UserError, match=r"expected no_such_package.module to be installed"):
        require("odd", where="a run")


MODULES_OF_TEST: dict[str, tuple[str, ...]] = {}


@pytest.mark.parametrize(("name", "extra"), [("sacrebleu", "translation"), ("google", "runs")])
def test_a_failed_import_is_explained(name, extra):
    fault = explain(ModuleNotFoundError(name=name), "a run")
    assert fault.fix == f"pip install 'rnnpipe[{extra}]'"


@pytest.mark.parametrize("name", ["tensorflow.nowhere", "tensor", "rnnpipe.nowhere", None])
def test_another_failed_import_is_not(name):
    assert explain(ModuleNotFoundError(name=name), "a run") is None


def test_a_task_is_refused_before_it_is_built_where_its_library_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    assert cli.main(["build", "translation"]) == 2
    assert capsys.readouterr().err == (
        "rnnpipe: task translation: expected sacrebleu to be installed, got none; "
        "pip install 'rnnpipe[translation]'\n"
    )


IMPORT_TASKS = """
import sys
from tests.light_core import Absent
Absent(sys.argv[1].split())
from rnnpipe.tasks import find_tasks
from tests.without_modules import call_with, run_with
print(sorted(entry.load().name for entry in find_tasks().values()))
"""


def test_tasks_are_imported_with_the_extra_runs_alone(tmp_path):
    done = run_with(["runs"], "-c", IMPORT_TASKS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'captioning', 'image_classification', 'language_model'" in done.stdout


IMPORT_PREDICTORS = """
import sys
from tests.light_core import Absent
Absent([*sys.argv[1].split(), "keras", "scipy"])
from importlib import import_module
import rnnpipe
from rnnpipe.shipped import list_configs
from rnnpipe.tasks import make_task
tasks = [make_task(rnnpipe.load_config(name), only_predicts=True) for name in list_configs()]
for task in tasks:
    import_module(f"rnnpipe.tasks.{task.name}.predictor")
print(sorted({task.name for task in tasks}))
"""


def test_exports_of_all_tasks_predict_with_the_extra_onnx_alone(tmp_path):
    done = run_with(["onnx"], "-c", IMPORT_PREDICTORS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ast.literal_eval(done.stdout) == sorted(find_tasks())


@pytest.mark.parametrize("arguments", [["--schema"], ["video"], ["real/coco"]])
def test_configs_need_the_extra_runs_alone(arguments, tmp_path):
    done = call_with(["runs"], "config", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        ("sentiment", ["data.source.sentences=100"]),
        ("vqa", ["data.source.images=40", "build.max_bad_fraction=0.2"]),
    ],
)
def test_a_build_needs_its_extra_alone(config, settings, tmp_path):
    options = [part for setting in settings for part in ("--set", setting)]
    done = call_with(["build"], "build", config, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
