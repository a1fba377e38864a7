"""Stands in for `rnnpipe.sweeps.child`: makes the files of a run without training one.

Each epoch the validation accuracy is `1 - |units - 40| / 100`, times a share that grows with the
epochs; so 40 units are best. `FAKE_SECONDS` is how long an epoch takes, and `FAKE_FAILURE` the exit
code of a training with more than 60 units.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import yaml

from rnnpipe.runs.directory import RunDirectory

EPOCHS = 4


def main(verb, path, runs_dir=None):
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    threading.Thread(target=end_with_parent, daemon=True).start()
    path = Path(path)
    sys.stdout.write(f"{verb} {path.name}\n")
    if verb == "build":
        return 0
    run = path if verb.startswith("resume") else Path(runs_dir) / path.stem / "20260101-120000"
    run.mkdir(parents=True, exist_ok=True)
    if not verb.startswith("resume"):
        RunDirectory(run).seal.begin()
        (run / "config.yaml").write_text(path.read_text())
    config = yaml.safe_load((run / "config.yaml").read_text())
    units = config["model"]["recurrence"]["cell"]["units"]
    if units > 60 and (code := int(os.environ.get("FAKE_FAILURE", "0"))):
        sys.stdout.write("model.units: expected fewer, got more; write e.g. 60\n")
        return code
    return train(run, units)


def end_with_parent():
    """As the process that it stands in for does, whose import takes seconds."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def train(run, units):
    history = run / "history.csv"
    if not history.exists():
        history.write_text("epoch,loss,val_accuracy\n")
    done = len(history.read_text().splitlines()) - 1
    with history.open("a") as file:
        for epoch in range(done, EPOCHS):
            time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
            score = (1 - abs(units - 40) / 100) * (epoch + 1) / EPOCHS
            file.write(f"{epoch},{1 - score},{score}\n")
            file.flush()
    (run / "model.keras").write_text("a model")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
