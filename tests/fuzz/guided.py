"""Coverage-guided fuzzing of one reader, with atheris, which is to be installed for it.

python -m tests.fuzz.guided READER [OPTION …], e.g. `manifests -runs=100000`; options are those of
libFuzzer. What it finds is a case that Hypothesis prints.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings


def main() -> None:
    """Runs libFuzzer on the reader that the command names."""
    import atheris  # before what it instruments

    with atheris.instrument_imports(include=["rnnpipe"]):
        from tests.fuzz.test_readers import READERS
    from tests.fuzz.limits import call

    (reader,) = [reader for reader in READERS if reader.name == sys.argv[1]]
    with TemporaryDirectory() as folder:

        @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(reader.cases)
        def check(case):
            call(reader.read, case, Path(folder))

        target: Any = check
        atheris.Setup([sys.argv[0], *sys.argv[2:]], target.hypothesis.fuzz_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
