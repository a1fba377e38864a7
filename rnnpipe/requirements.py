"""The optional dependencies: which modules each extra of the package installs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import MappingProxyType

from rnnpipe.errors import UserError

MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "runs": (
            "fsspec",
            "google.protobuf",
            "google_crc32c",
            "PIL",
            "platformdirs",
            "pydantic",
            "rich",
            "sentencepiece",
            "yaml",
        ),
        "build": ("apache_beam", "importlib_resources", "tensorflow_datasets"),
        "train": ("tensorboard",),
        "report": ("jinja2", "matplotlib", "sklearn"),
        "captions": ("pycocoevalcap", "pycocotools"),
        "translation": ("sacrebleu",),
        "video": ("av",),
        "speech": ("av", "jiwer"),
        "hub": ("keras_hub",),
        "onnx": ("onnxruntime",),
        "litert": ("ai_edge_litert",),
        "export": ("onnx", "tf2onnx"),
        "mlflow": ("mlflow", "pandas"),
        "sweep": ("optuna",),
        "wandb": ("wandb",),
        "tensorflow": ("tensorflow",),
        "tensorflow-text": ("tensorflow_text",),
        "jax": ("jax",),
        "torch": ("torch",),
        "aws": ("s3fs",),
        "gcp": ("gcsfs",),
    }
)
"""The modules that an extra adds to those of the extras that it includes."""

INCLUDES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "build": ("runs",),
        "train": ("runs", "tensorflow"),
        "report": ("runs",),
        "onnx": ("runs",),
        "litert": ("runs",),
        "export": ("train", "onnx"),
        "tensorflow-text": ("tensorflow",),
        "mlflow": ("onnx",),
        "sweep": ("build", "train", "report"),
        "wandb": ("train",),
    }
)
"""The extras that an extra includes."""


def is_installed(extra: str) -> bool:
    """Whether all modules of an extra are there; none of them is imported."""
    return not _missing(extra)


def install_command(*extras: str) -> str:
    """The command that installs some extras.

    Example:
        >>> install_command("train", "report")
        "pip install 'rnnpipe[train,report]'"
    """
    return f"pip install 'rnnpipe[{','.join(extras)}]'"


def require(*extras: str, where: str) -> None:
    """Checks that the modules of some extras are installed; none of them is imported.

    Args:
        extras: names of extras of the package.
        where: what needs them, for the message.

    Raises:
        UserError: at least one module is missing; the message has the command that installs it.
    """
    missing = {extra: absent for extra in extras if (absent := _missing(extra))}
    if missing:
        modules = dict.fromkeys(module for absent in missing.values() for module in absent)
        raise _not_installed(where, list(modules), list(missing))


@contextmanager
def requiring(*extras: str, where: str) -> Iterator[None]:
    """Checks some extras, and explains the import of any other optional module that fails.

    Args:
        extras: names of extras of the package.
        where: what needs them, for the message.

    Raises:
        UserError: a module is missing; the message has the command that installs it.
    """
    require(*extras, where=where)
    try:
        yield
    except ModuleNotFoundError as error:
        if (missing := explain(error, where)) is None:
            raise
        raise missing from error


def explain(error: ModuleNotFoundError, where: str) -> UserError | None:
    """The error of a module that an extra would have installed; None for any other module.

    Args:
        error: what the import raised.
        where: what needs the module, for the message.
    """
    for extra, modules in MODULES.items():
        for module in modules:
            if error.name is not None and f"{module}.".startswith(f"{error.name}."):
                return _not_installed(where, [module], [extra])
    return None


def _missing(extra: str) -> list[str]:
    modules = [module for include in INCLUDES.get(extra, ()) for module in _missing(include)]
    return modules + [module for module in MODULES[extra] if not _is_there(module)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it is in
        return False


def _not_installed(where: str, modules: list[str], extras: list[str]) -> UserError:
    expected = f"{', '.join(modules)} to be installed"
    return UserError(where, expected, "none", install_command(*extras))
