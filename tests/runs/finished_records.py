"""What works on finished records where nothing that builds records is installed.

python -m tests.runs.finished_records SETTINGS EXTRA …

SETTINGS are overrides of the config `sentiment` as JSON; its records are finished. The extras
are not installed, and `report` is from the evaluation on.
"""

import json
import sys

import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.requirements import MODULES
from tests.light_core import Absent


def main(settings, *extras):
    absent = Absent(module for extra in (*extras, "report") for module in MODULES[extra])
    run = rnnpipe.train("sentiment", settings, verbose=False)
    with pytest.raises(UserError, match=r"pip install 'rnnpipe\[report\]'"):
        run.evaluate(verbose=False)
    absent.names.difference_update(MODULES["report"])
    run.evaluate(verbose=False)
    scores = run.metrics

    (run.path / "model.keras").unlink()
    (run.path / "report.html").unlink()
    resumed = rnnpipe.resume(run.path, verbose=False)
    assert (resumed.path, resumed.metrics) == (run.path, scores)
    assert run.predict(text="Not a bad film.").answers[0].text in ("neg", "pos")
    records = settings["data.directory"]
    assert cli.main(["inspect", records, "--check"]) == 0

    others = {**settings, "data.source.sentences": 120}
    with pytest.raises(UserError) as caught:
        rnnpipe.train("sentiment", others, verbose=False)
    expected = f"{records}: expected the records of this config, got stale ones; build them with "
    assert str(caught.value) == f"{expected}`rnnpipe build`, after pip install 'rnnpipe[build]'"
    with pytest.raises(UserError, match=r"pip install 'rnnpipe\[build\]'"):
        rnnpipe.build("sentiment", others, verbose=False)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), *sys.argv[2:])
