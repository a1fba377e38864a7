"""Exports of models that are not trained."""

from typing import NamedTuple

import numpy as np
import pytest

from rnnpipe.exports.formats import FORMATS
from rnnpipe.exports.manifest import read_manifest
from rnnpipe.exports.write import VOCABULARY, Exportable, open_network, write_export
from rnnpipe.runs.sample import record_calls
from rnnpipe.tasks.predictor import Predictor


class Exported(NamedTuple):
    """The predictor of a model, that of its export, and the manifest of that."""

    run: Predictor
    export: Predictor
    manifest: object


def export_model(task, model, vocabulary, form, output, records=None):
    """Exports a model in a format.

    Args:
        task: its task.
        model: the Keras model.
        vocabulary: the folder of what its predictor needs.
        form: the name of the format.
        output: the folder of the export.
        records: by which it is checked; None: by made-up inputs.
    """
    network = task.make_network(model, vocabulary)
    calls = record_calls(task, network, vocabulary, records)
    complete = task.complete_network
    own = {"bounds": task.bounds, "complete": complete}
    source = Exportable(task.name, network, "", vocabulary, "", calls, task.inputs, **own)
    write_export(source, form, output)
    manifest = read_manifest(output)
    exported = open_network(FORMATS[form], output, manifest.functions, complete)
    return Exported(
        task.make_predictor(vocabulary, network),
        task.make_predictor(output / VOCABULARY, exported),
        manifest,
    )


def check_equal(found, expected):
    """Checks that predictions are equal: answers, probabilities and alignments."""
    for ours, theirs in zip(found, expected, strict=True):
        assert [each.text for each in ours.answers] == [each.text for each in theirs.answers]
        for answer, other in zip(ours.answers, theirs.answers, strict=True):
            assert answer.probability == pytest.approx(other.probability, abs=1e-5)
        assert (ours.alignments is None) == (theirs.alignments is None)
        if theirs.alignments is not None:
            np.testing.assert_allclose(ours.alignments, theirs.alignments, atol=1e-5)
