"""Records that are read: checked before, held meanwhile, and blamed where they are the cause."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from rnnpipe.errors import BadRecord, Faults
from rnnpipe.inputs.parsing import decode_jpeg
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.verify import verify_records
from rnnpipe.runs.progress import check_records

_UNREADABLE = (
    tf.errors.DataLossError,
    tf.errors.InvalidArgumentError,
    tf.errors.FailedPreconditionError,  # another number of batches than the build's lengths give
    BadRecord,
)


@contextmanager
def holding_records(records: RecordsDirectory, console: Console) -> Iterator[None]:
    """Fetches and checks records, and keeps builds from replacing them until the block ends.

    What TensorFlow raises in the block of a damaged file, or of a record that holds what none may
    hold, becomes an error that names it.

    Args:
        records: finished ones.
        console: where progress is shown.

    Raises:
        DamagedRecords: they are not as they were built, or are changed while the block runs.
        UserError: they are being replaced, or a store refuses.
    """
    with records.hold():
        check_records(records, console)
        try:
            yield
        except Exception as error:
            if isinstance(error, tf.errors.DataLossError):
                records.inventory.forget()
            try:
                records.check()
                if isinstance(error, _UNREADABLE):  # of records that were never right
                    verify_records(records, decode_jpeg)
            except Faults as damage:
                raise damage from error
            raise


class RecordsCheck(keras.callbacks.Callback):
    """Ends a training whose records have changed: it would go on with those of another set.

    No build replaces records that are held, but anything else may.

    Args:
        records: what it reads.
    """

    def __init__(self, records: RecordsDirectory) -> None:
        super().__init__()
        self._records = records

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raises `DamagedRecords` where the epoch would read other records."""
        self._records.check()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raises it before the epoch counts."""
        self._records.check()
