"""The files of the last states of a training."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.storage.arrays import read_sealed_arrays
from rnnpipe.storage.seal import find_seal, remove_sealed, sealed_path

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StateFiles:
    """The last states of a training: a folder of `<epochs done>-<steps done of the next>.npz`.

    Args:
        folder: the folder.
    """

    folder: Path

    def find(self) -> list[Path]:
        """The files that should be there, the last one last."""
        seal = find_seal(self.folder)
        if seal is None:
            return sorted(self.folder.glob("*.npz"))
        paths = [path for path in seal.find("*.npz") if path.parent == self.folder]
        return [path for path in paths if seal.expects(path)]

    def write(self, epochs: int, steps: int, arrays: Mapping[str, Any], keep: int) -> None:
        """Writes a state, wholly or not at all, and seals it.

        Args:
            epochs: how many are done.
            steps: how many of the next epoch are done.
            arrays: by name.
            keep: how many states are kept, this one included.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with sealed_path(self.folder / f"{epochs:05}-{steps:09}.npz") as unfinished:
            np.savez(unfinished, **arrays)
        for path in self.find()[:-keep]:
            remove_sealed(path)

    def read(
        self, key: str, kind: type[T], notify: Callable[[str], None]
    ) -> tuple[dict[str, Array], T] | None:
        """The last state that is not damaged; later ones are removed. None if there never was one.

        Args:
            key: the name of the array that is JSON, see `read_sealed_arrays`.
            kind: the type of that JSON.
            notify: is told of each damaged file.

        Raises:
            UserError: all of them are damaged or missing; it is about the last one.
        """
        faults: dict[Path, UserError] = {}
        for path in reversed(self.find()):
            try:
                content = read_sealed_arrays(path, key, kind)
            except UserError as fault:
                faults[path] = fault
                continue
            for damaged, its_fault in faults.items():
                notify(f"{damaged}: {its_fault.got}; the state before it is used")
                remove_sealed(damaged)
            return content
        if faults:
            raise next(iter(faults.values()))
        return None

    def remove_last(self) -> None:
        """Removes the last state."""
        remove_sealed(self.find()[-1])

    def forget(self) -> None:
        """Removes all states: the training is done."""
        for path in self.find():
            remove_sealed(path)
        if self.folder.exists():
            shutil.rmtree(self.folder)  # also what a killed process has left
