"""Every setting is declared once: no second default, no second name, and a line of help."""

import inspect
import pkgutil
from dataclasses import MISSING, fields
from importlib import import_module

import pytest

from rnnpipe.config.leaves import walk_leaves
from rnnpipe.settings import Settings
from rnnpipe.tasks import find_schemas

PACKAGES = ("models", "transforms", "sources", "tasks", "pipelines")

# Parameters that share the name of a setting, and why their default is no second one of it.
OTHER_MEANINGS = {
    # The declaration's own default.
    "transforms.build.Build.__init__.records_per_shard",
    "transforms.build.Build.__init__.max_bad_fraction",
    # Of a runner that nobody configures: this process.
    "transforms.runners.runner.Runner.__init__.workers",
    # None: the samples of hard attention have no seed of their own; a task passes its config's.
    "models.image_classifier.build_image_classifier.seed",
    # Steps of a build, by their names.
    "transforms.passes.dead_letters.DeadLetterSummary.__init__.steps",
    # The size and kind of a thing in a scene.
    "sources.generated.shapes.questions.Description.__init__.size",
    "sources.generated.shapes.questions.Description.__init__.kind",
    # None: the names are in the file's first row.
    "sources.text.rows.read_rows.columns",
    # Of one clip, where a table's column does not have it.
    "sources.videos.clips.Clip.__init__.split",
    "sources.videos.clips.Clip.__init__.clip_label",
    # Results of an evaluation and of a prediction.
    "tasks.results.Evaluation.__init__.report_items",
    "tasks.results.Evaluation.__init__.files",
    "tasks.prediction.Prediction.__init__.alignments",
}

# Settings that a subclass declares anew with another default, and why.
OTHER_DEFAULTS = {
    ("SGDOptions", "learning_rate"),  # Keras' own default of this optimizer
    ("Trec", "encoding"),  # its files are published in ISO 8859-1
    ("TranslationSearchOptions", "max_length"),  # null: derived from the records
}

SCHEMAS = find_schemas()


def leaves():
    return [leaf for schema in SCHEMAS.values() for leaf in walk_leaves(schema)]


def functions_of(module):
    """The functions and methods that a module defines, but for the constructors of settings."""
    for member in vars(module).values():
        if getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(member):
            yield member
        if inspect.isclass(member):
            for name, attribute in vars(member).items():
                function = getattr(attribute, "__func__", attribute)
                if name == "__init__" and issubclass(member, Settings):
                    continue
                if inspect.isfunction(function):
                    yield function


def modules():
    for package in PACKAGES:
        root = import_module(f"rnnpipe.{package}")
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            yield import_module(found.name)


def second_defaults(names):
    for module in modules():
        for function in functions_of(module):
            for parameter in inspect.signature(function).parameters.values():
                if parameter.name in names and parameter.default is not inspect.Parameter.empty:
                    name = f"{module.__name__}.{function.__qualname__}.{parameter.name}"
                    yield name.removeprefix("rnnpipe.")


def test_no_signature_has_a_second_default_of_a_setting():
    names = {leaf.field.name for leaf in leaves()}
    assert {"units", "symbols", "vocabulary", "fit", "batch_size"} < names
    assert set(second_defaults(names)) == OTHER_MEANINGS


def settings_classes():
    """All classes that take part in a task's config."""
    seen = set()
    waiting = [*SCHEMAS.values(), *(leaf.owner for leaf in leaves())]
    while waiting:
        settings = waiting.pop()
        if settings in seen:
            continue
        seen.add(settings)
        waiting += [base for base in settings.__mro__ if issubclass(base, Settings)]
    return sorted(seen - {Settings}, key=lambda settings: settings.__qualname__)


def test_no_subclass_declares_a_setting_anew_with_another_default():
    redeclared = set()
    for settings in settings_classes():
        own = inspect.get_annotations(settings)
        for base in settings.__mro__[1:]:
            if not issubclass(base, Settings) or base is Settings:
                continue
            for declared in fields(base):
                if declared.name not in own or declared.default is MISSING:
                    continue
                # A section's values are a default of their own: an instance, not a second class.
                is_section = isinstance(declared.default, Settings)
                default = settings.__dataclass_fields__[declared.name].default
                if not is_section and default != declared.default:
                    redeclared.add((settings.__name__, declared.name))
    assert redeclared == OTHER_DEFAULTS


@pytest.mark.parametrize("task", SCHEMAS)
def test_every_setting_has_a_line_of_help(task):
    without = {
        f"{leaf.owner.__name__}.{leaf.field.name}"
        for leaf in walk_leaves(SCHEMAS[task])
        if not leaf.help and leaf.field.name not in ("task", "kind")
    }
    assert without == set()
