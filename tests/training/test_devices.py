"""Which devices a batch is divided between."""

import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.training.devices import find_devices


@pytest.fixture
def gpus(monkeypatch):
    """Makes TensorFlow find so many GPUs."""

    def make(count):
        devices = [tf.config.LogicalDevice(f"/device:GPU:{n}", "GPU") for n in range(count)]
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)

    return make


@pytest.mark.parametrize("choice", ["auto", "cpu", "all", 1])
def test_one_device_divides_nothing(choice):
    assert find_devices(choice) == []


def test_a_number_is_replicas_on_the_cpu():
    assert find_devices(3) == ["/CPU:0"] * 3


def test_gpus_are_taken_before_the_cpu(gpus):
    gpus(3)
    assert find_devices("all") == ["/GPU:0", "/GPU:1", "/GPU:2"]
    assert find_devices(2) == ["/GPU:0", "/GPU:1"]
    assert find_devices(1) == find_devices("auto") == []


def test_more_gpus_than_there_are_are_refused(gpus):
    gpus(2)
    with pytest.raises(UserError, match="at most 2, the GPUs here, got 3"):
        find_devices(3)


def test_gpus_that_are_in_use_cannot_be_hidden(monkeypatch):
    def initialized(*args):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", initialized)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["a GPU"])
    with pytest.raises(UserError, match="set CUDA_VISIBLE_DEVICES to nothing"):
        find_devices("cpu")
