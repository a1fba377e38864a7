"""Backbones of KerasHub, from presets."""

import math
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.backbones import BackboneOptions
from rnnpipe.requirements import require
from rnnpipe.settings import FilePath, setting
from rnnpipe.storage.paths import hash_file

if TYPE_CHECKING:
    import keras


class HubBackboneOptions(BackboneOptions):
    """A backbone of KerasHub: a preset that it downloads, or the folder of one.

    Pixels are scaled as the preset's image converter has it; their size and their fit are those of
    the other settings. A layer may be named by a level of the backbone's pyramid, e.g. P4, whose
    grid has a sixteenth of the image's rows. The patches of a vision transformer become a grid;
    the tokens before them, its class token and its registers, are left out.
    """

    kind: Literal["hub"] = "hub"
    preset: str | None = setting(
        None, "its name, as keras_hub.models.Backbone.from_preset takes it, e.g. resnet_50_imagenet"
    )
    path: FilePath | None = setting(
        None, "or a folder that save_to_preset wrote, which needs no download"
    )

    def check(self) -> None:
        """There is one of both."""
        if (self.preset is None) == (self.path is None):
            got = "neither" if self.preset is None else "both"
            raise UserError("preset", "a preset, or the path of one", got, "write one of them")

    def check_files(self) -> None:
        """Looks for KerasHub, and for the folder."""
        require("hub", where="backbone.kind")
        self._hashes()

    def make(self, image_size: int, layer: str | None = None) -> "keras.Model":
        """The backbone, with a grid of the patches where it is a transformer."""
        import keras

        self.check_files()
        shape = (image_size, image_size, 3)
        try:
            backbone = import_module("keras_hub").models.Backbone.from_preset(
                self._name, image_shape=shape, dtype=keras.config.dtype_policy()
            )
            pixels = keras.Input(shape)
            inner = _cut(backbone, layer)
            images = keras.tree.map_structure(lambda _: pixels, inner.input)  # or a dict of them
            return keras.Model(pixels, _as_grid(inner(images)), name=backbone.name)
        except Exception as fault:  # whatever KerasHub says of presets, sizes and layers
            expected = f"a preset of images of {image_size} pixels"
            if layer is not None:
                expected += f" with the layer {layer}"
            got = f"{self._name}: {' '.join(str(fault).split())}"
            fix = "see https://keras.io/keras_hub/presets for their names"
            raise UserError("backbone", expected, got[:300], fix) from fault

    def prepare(self, pixels: Any) -> Any:
        """Pixels times the converter's scale, plus its offset."""
        scale, offset = _read_converter(self._name)
        return pixels * scale + offset

    def fingerprint(self) -> dict[str, Any]:
        """The preset, a folder by its content, and the version of KerasHub."""
        require("hub", where="backbone.kind")
        content = self.preset if self.path is None else self._hashes()
        return {"preset": content, "keras_hub": version("keras-hub")}

    @property
    def _name(self) -> str:
        return self.preset if self.path is None else str(self.path)  # type: ignore[return-value]  # one of both

    def _hashes(self) -> dict[str, str]:
        """The files of the folder, if there is one, by their content."""
        if self.path is None:
            return {}
        where, fix = "backbone.path", "name a folder that save_to_preset wrote"
        hash_file(self.path / "config.json", where, fix)
        files = sorted(path for path in self.path.iterdir() if path.is_file())
        return {path.name: hash_file(path, where, fix) for path in files}


def _cut(backbone: Any, layer: str | None) -> "keras.Model":
    """The backbone up to a layer or a level of its pyramid.

    To its end it is itself: some layers of transformers are loaded only as parts of their class.
    """
    import keras

    if layer is None:
        return backbone
    pyramid = getattr(backbone, "pyramid_outputs", {})
    output = pyramid[layer] if layer in pyramid else backbone.get_layer(layer).output
    return keras.Model(backbone.input, output)


def _as_grid(output: Any) -> Any:
    """Grids as they are; of tokens `(batch, tokens, channels)` the patches, which come last."""
    from keras import layers

    if len(output.shape) != 3:
        return output
    tokens, channels = output.shape[1:]
    side = math.isqrt(tokens)
    patches = layers.Cropping1D((tokens - side**2, 0))(output)
    return layers.Reshape((side, side, channels))(patches)


@lru_cache(maxsize=4)
def _read_converter(name: str) -> tuple[Any, Any]:
    """The scale and the offset of a preset's pixels, a number for each channel or for all."""
    import numpy as np

    try:
        converter = import_module("keras_hub").layers.ImageConverter.from_preset(name)
    except Exception as fault:  # whatever KerasHub says of a preset
        got = f"{name}: {' '.join(str(fault).split())}"
        fix = "save its image converter beside it with save_to_preset"
        raise UserError("backbone", "a preset with an image converter", got[:300], fix) from fault
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return np.asarray(scale, np.float32), np.asarray(offset, np.float32)
