import pytest

from tests.runs.trainings import CONFIGS, call


@pytest.fixture
def command(tmp_path):
    """The arguments of `rnnpipe train` for tiny settings, whose records are built."""

    def make(name, settings):
        options = [f"data.directory={tmp_path / 'records'}", "build.workers=1", *settings]
        if name in ("captioning", "glimpse"):
            options.append(f"data.source.path={tmp_path / 'raw'}")
        options = [part for option in options for part in ("--set", option)]
        assert call("build", CONFIGS / f"{name}.yaml", *options) == 0
        return ["train", CONFIGS / f"{name}.yaml", *options]

    return make
