"""Networks that make grids of features of images."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Kinds, Settings, setting
from rnnpipe.storage.paths import hash_file

if TYPE_CHECKING:
    import keras

_HERE = "rnnpipe.parts.backbones"


class BackboneOptions(Settings):
    """A network that makes a grid of features of each image.

    A subclass has a `kind`, makes the network and prepares pixels for it. Other packages add kinds
    by the entry point group `rnnpipe.backbones`.
    """

    kinds = Kinds(
        "rnnpipe.backbones",
        {
            "application": f"{_HERE}:ApplicationBackboneOptions",
            "hub": "rnnpipe.parts.hub_backbone:HubBackboneOptions",
            "saved": f"{_HERE}:SavedBackboneOptions",
        },
    )

    def check_files(self) -> None:
        """Looks for the files that it needs, before work that takes hours.

        Raises:
            UserError: one is missing.
        """

    def make(self, image_size: int, layer: str | None = None) -> "keras.Model":
        """The network, from prepared pixels `(batch, height, width, 3)` to a grid of features.

        Args:
            image_size: height and width of the images, in pixels.
            layer: the layer whose output is taken; None: the network's own output.

        Raises:
            UserError: it cannot be made.
        """
        raise NotImplementedError

    def prepare(self, pixels: Any) -> Any:
        """What its authors did to pixels from 0 to 255: tensors or arrays."""
        raise NotImplementedError

    def fingerprint(self) -> dict[str, Any]:
        """What the features depend on, JSON values: files count by their content."""
        raise NotImplementedError


class ApplicationBackboneOptions(BackboneOptions):
    """A network of `keras.applications` without its head."""

    kind: Literal["application"] = "application"
    name: str = setting(help="its name there, e.g. ResNet101 or mobilenet_v2")
    weights: Literal["imagenet", "none"] | FilePath = setting(
        "imagenet", "imagenet downloads them; or a file that Keras saved; or none: random"
    )
    options: dict[str, float | int | bool | str] = setting(
        {}, "other arguments of the network, e.g. {alpha: 0.25}"
    )

    def check_files(self) -> None:
        """Looks for the file of weights."""
        if isinstance(self.weights, Path):
            _hash(self.weights, "weights")

    def make(self, image_size: int, layer: str | None = None) -> "keras.Model":
        """The network without its head."""
        import keras

        make = self._find()
        weights = None if self.weights == "none" else self.weights
        shape = (image_size, image_size, 3)
        try:
            model = make(include_top=False, weights=weights, input_shape=shape, **self.options)
            if layer is None:
                return model
            return keras.Model(model.input, model.get_layer(layer).output, name=model.name)
        except Exception as fault:  # whatever Keras says of names, files, sizes and the network
            asked = f"weights: {self.weights}, image size: {image_size}, options: {self.options}"
            if layer is not None:
                asked += f", layer: {layer}"
            expected = f"what {self.name} can be made of ({asked})"
            got = " ".join(str(fault).split())
            fix = "correct weights, size, layer or options; without network, name a file of weights"
            raise UserError("backbone", expected, got[:300], fix) from fault

    def prepare(self, pixels: Any) -> Any:
        """The `preprocess_input` of the network's module."""
        # It changes arrays in place.
        return import_module(self._find().__module__).preprocess_input(pixels + 0.0)

    def fingerprint(self) -> dict[str, Any]:
        """The name, the options, and the weights by their content."""
        weights = self.weights
        content = _hash(weights, "weights") if isinstance(weights, Path) else weights
        return {"name": self.name, "weights": content, "options": self.options}

    def _find(self) -> Any:
        """The network's function, by its name or that of its module."""
        import keras

        known = {
            name.lower(): make
            for name, make in vars(keras.applications).items()
            if callable(make) and not name.startswith("_")
        }
        try:
            return known[self.name.replace("_", "").lower()]
        except KeyError:
            expected = "a network of keras.applications, e.g. ResNet101 or MobileNetV2"
            fix = "see https://keras.io/api/applications for their names"
            raise UserError("backbone.name", expected, self.name, fix) from None


class SavedBackboneOptions(BackboneOptions):
    """A model that Keras saved: from pixels to a grid of features."""

    kind: Literal["saved"] = "saved"
    path: FilePath = setting(help="the .keras file")
    preparation: Literal["none", "tf", "caffe", "torch"] = setting(
        "none", "of pixels from 0 to 255, as keras.applications calls it; none: the model does it"
    )

    def check_files(self) -> None:
        """Looks for the file."""
        _hash(self.path, "path")

    def make(self, image_size: int, layer: str | None = None) -> "keras.Model":
        """The model, for images of this size."""
        import keras

        _hash(self.path, "path")
        try:
            model = keras.models.load_model(self.path, compile=False)
            if layer is not None:
                model = keras.Model(model.input, model.get_layer(layer).output, name=model.name)
            side = image_size
            pixels = keras.Input((side, side, 3))
            return keras.Model(pixels, model(pixels), name=model.name)
        except Exception as fault:  # whatever Keras says of a file, its layers and its sizes
            expected = f"a Keras model of images of {image_size} pixels in {self.path}"
            got, fix = " ".join(str(fault).split()), "save it with model.save('name.keras')"
            raise UserError("backbone.path", expected, got[:300], fix) from fault

    def prepare(self, pixels: Any) -> Any:
        """As `preparation` has it."""
        from keras.src.applications import imagenet_utils

        if self.preparation == "none":
            return pixels
        return imagenet_utils.preprocess_input(pixels + 0.0, mode=self.preparation)

    def fingerprint(self) -> dict[str, Any]:
        """The file by its content, and the preparation."""
        return {"content": _hash(self.path, "path"), "preparation": self.preparation}


def require_grid(model: "keras.Model", layer: str | None) -> None:
    """Checks that a backbone makes a grid.

    Raises:
        UserError: it does not; `where` is `layer`.
    """
    shape = getattr(model.output, "shape", ())
    if len(shape) != 4:
        got = f"{tuple(shape[1:])} of the layer {layer or 'at its end'}"
        raise UserError("layer", "a grid (rows, columns, channels)", got, "name another layer")


def _hash(path: Path, key: str) -> str:
    return hash_file(path, f"backbone.{key}", "name a file that Keras saved")
