"""Opens the folder of a trained model: of a run, or of an export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnnpipe.runs.export import Export, is_export

if TYPE_CHECKING:
    from rnnpipe.runs.run import Run


def load_model(folder: Path) -> Run | Export:
    """The trained run or the export in a folder, see `rnnpipe.load`.

    Raises:
        UserError: there is none.
    """
    if is_export(folder):
        return Export(folder)
    from rnnpipe.runs.directory import open_run
    from rnnpipe.runs.run import Run

    return Run(open_run(folder))
