"""The example notebooks run from beginning to end, with settings that make them small."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

FOLDER = Path(__file__).resolve().parents[2] / "examples"

TINY = {
    "task_from_yaml": {"SENTENCES": 200, "EPOCHS": 2},
    "layers_in_keras": {"EXAMPLES": 2500, "EPOCHS": 3},
    "data_set_with_beam": {"QUESTIONS": 300, "WORKERS": 1},
}

CHECKS = {
    "task_from_yaml": """
        assert len(run.history["loss"]) == 2
        assert run.report.path.is_file()
        assert again.metrics == run.metrics
        assert {answer.text for answer in prediction.answers} == {"neg", "pos"}
    """,
    "layers_in_keras": """
        assert correct > 0.9, correct
        assert abs(weights[: (source[0] > 0).sum()].sum(axis=-1) - 1).max() < 1e-3
    """,
    "data_set_with_beam": """
        assert len(list(records.dead_letters())) == 1
        assert sum(split.num_examples for split in builder.info.splits.values()) == 299
        assert sorted(records.labels) == sorted(TOPICS)
        assert labels.shape == (32,) and tokens.shape[0] == 32
    """,
}


@pytest.fixture
def kernel_environment(tmp_path, monkeypatch):
    """What a kernel inherits: folders of its own, and this checkout."""
    for name in ("XDG_CACHE_HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_there_is_a_check_for_every_notebook():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == TINY.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", TINY)
def test_a_notebook_is_stored_without_outputs(name):
    notebook = read(name)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


@pytest.mark.parametrize("name", TINY)
@pytest.mark.usefixtures("kernel_environment")
def test_a_notebook_runs(name, tmp_path):
    notebook = read(name)
    at = [cell.metadata.get("tags") for cell in notebook.cells].index(["parameters"])
    for parameter in TINY[name]:
        assert f"{parameter} = " in notebook.cells[at].source
    settings = "\n".join(f"{parameter} = {value}" for parameter, value in TINY[name].items())
    notebook.cells.insert(at + 1, new_code_cell(settings))
    check = "\n".join(line.strip() for line in CHECKS[name].strip().splitlines())
    notebook.cells.append(new_code_cell(check))
    folder = tmp_path / "notebook"
    folder.mkdir()
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    streams = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream"
    ]
    assert [output.text for output in streams if output.name == "stderr"] == []
    assert not any("\x1b" in output.text for output in streams)  # what moves a cursor
