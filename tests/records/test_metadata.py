import subprocess
import sys

WRITE = """
import sys
from pathlib import Path
from rnnpipe.records import specs
from rnnpipe.records.metadata import SplitSize, write_metadata
for spec in reversed(specs._ALL):
    folder = Path(sys.argv[1], spec.name)
    folder.mkdir()
    write_metadata(folder, spec, {"train": SplitSize([3], 100)})
    assert {path.name for path in folder.iterdir()} == {"dataset_info.json", "features.json"}
"""


def test_tensorflow_prints_nothing_whatever_is_built(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WRITE, tmp_path], check=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "")
