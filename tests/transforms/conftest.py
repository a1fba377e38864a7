import pytest

from tests.transforms.recipes.backbone import write_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of weights of the tests' backbone."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    write_weights(path)
    return path
