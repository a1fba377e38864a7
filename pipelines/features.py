"""What the command lines of pipelines that compute features have in common."""

import argparse

from rnnpipe.pipelines.command import count
from rnnpipe.sources.folder import absolute
from rnnpipe.transforms.recipes.image_features import Features


def add_features(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name a backbone."""
    add, default = parser.add_argument, Features("")
    add("--backbone", help="of keras.applications, e.g. ResNet101 (default: no features)")
    add(
        "--weights", default=default.weights, help="imagenet, none or a file (default: %(default)s)"
    )
    add("--backbone-image-size", type=count, default=default.image_size, help="pixels")
    add("--layer", help="whose output is taken (default: the last before pooling)")
    add("--batch-size", type=count, default=default.batch_size, help="images at once in a worker")


def features_of(options: argparse.Namespace) -> Features | None:
    """The backbone that the options name; None where they name none."""
    if options.backbone is None:
        return None
    of_file = options.weights not in ("imagenet", "none")
    return Features(
        options.backbone,
        str(absolute(options.weights)) if of_file else options.weights,
        image_size=options.backbone_image_size,
        layer=options.layer,
        batch_size=options.batch_size,
    )
