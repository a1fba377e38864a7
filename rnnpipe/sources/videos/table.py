"""A folder of clips with tables of labels."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.file_index import FileIndex
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.labels import read_optional_label
from rnnpipe.sources.raw_files import fold_name, walk_raw
from rnnpipe.sources.splits import name_of, unused_notices
from rnnpipe.sources.text.named_rows import FileRows, NamedRows, locate, read_split
from rnnpipe.sources.videos.clips import Clip, Segment, Unit, merge_frames, read_place
from rnnpipe.sources.videos.files import is_video
from rnnpipe.sources.videos.source import ClipFolder
from rnnpipe.storage.paths import as_path


class ClipTable(ClipFolder):
    """Clips that a table names, a row each; a second table may label their frames.

    The table of frames has the columns `clip`, `frame` and `label` (a row for each frame of the
    file, counted from 0), or `clip`, `start`, `end` and `label` (in seconds).

    Example:
        >>> source = ClipTable(path="data/grid_s1", label="color", split="split")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["clips"] = "clips"
    table: InnerPath = setting(
        Path("clips.csv"), "a CSV, TSV or JSON lines file with a row for each clip"
    )
    clip: str = setting("clip", "its column with the clips' files, relative to `path`")
    label: str | None = setting("label", "its column with the classes of clips; null: none")
    split: str | None = setting(None, "its column with the splits of clips; null: none")
    frame_labels: InnerPath | None = setting(
        None,
        "a table with the columns clip, frame, label or clip, start, end, label; null: frames "
        "have no labels",
    )

    @property
    def labels_frames(self) -> bool:
        """Whether there is a table of them."""
        return self.frame_labels is not None

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which tables and columns are read."""
        return {
            "table": str(self.table),
            "columns": self._columns,
            "frame_labels": self.frame_labels and str(self.frame_labels),
        }

    @property
    def _columns(self) -> dict[str, str | None]:
        return {"clip": self.clip, "label": self.label, "split": self.split}

    def annotation_files(self) -> Iterator[Path]:
        """The tables."""
        yield self.folder / self.table
        if self.frame_labels:
            yield self.folder / self.frame_labels

    def find_items(self) -> Sequence[Clip | DeadLetter]:
        """See `ListedFolder`."""
        check_folder(self.folder, "clips", "correct data.source.path")
        rows = FileRows(self.folder / self.table, self._columns, "clip", "clip")
        frames = _FrameLabels(self.folder / self.frame_labels) if self.frame_labels else None
        clips: list[Clip | DeadLetter] = []
        named: dict[str, set[str]] = {}
        for number, row in rows:
            key = f"{self.table}:{number}"
            try:
                cells = rows.read_cells(row)
                key = cells["clip"]
                said = {field: cell for field, cell in cells.items() if field != "clip"}
                named.setdefault(fold_name(key), set()).add(repr(said))
                clips.append(self._make_clip(cells, frames))
            except BadRecord as bad:
                clips.append(DeadLetter(key, str(self.table), bad.step, bad.reason))
        clips = [self._check_one(clip, named) for clip in clips]
        for name in sorted(frames.names - named.keys()) if frames else ():
            where = str(self.frame_labels)
            clips.append(DeadLetter(name, where, "find clip", f"{self.table} does not name it"))
        return clips

    def _check_one(
        self, clip: Clip | DeadLetter, named: Mapping[str, set[str]]
    ) -> Clip | DeadLetter:
        """A clip, or a dead letter where its rows contradict each other."""
        if isinstance(clip, DeadLetter) or len(named[fold_name(clip.key)]) == 1:
            return clip
        reason = f"{len(named[fold_name(clip.key)])} rows of it differ"
        return DeadLetter(clip.key, str(self.table), "read row", reason)

    @property
    def notices(self) -> Sequence[str]:
        """Videos that the table does not name."""
        named = {as_path(clip.path) for clip in self.items if isinstance(clip, Clip)}
        named_too = {self.folder / clip.key for clip in self.items if isinstance(clip, DeadLetter)}
        there = [
            name_of(root / name, self.folder)
            for root, listing in walk_raw(self.folder)
            for name in listing.files
            if is_video(name) and root / name not in named | named_too
        ]
        return unused_notices(there, (), f"{self.table} does not name")

    def _make_clip(self, cells: Mapping[str, Any], frames: "_FrameLabels | None") -> Clip:
        segments, unit = frames.find(cells["clip"]) if frames else ([], "seconds")
        return Clip(
            key=cells["clip"],
            path=str(locate(self._files, cells["clip"])),
            split=read_split(cells["split"]) if "split" in cells else "train",
            clip_label=read_optional_label(cells.get("label")),
            segments=segments,
            unit=unit,
        )

    @cached_property
    def _files(self) -> FileIndex:
        return FileIndex(self.folder)


class _FrameLabels:
    """The segments of every clip that a table of frames names."""

    def __init__(self, path: Path) -> None:
        fix = "name its columns clip, frame and label, or clip, start, end and label"
        rows = NamedRows(path, {"clip": fix, "label": fix})
        if "frame" not in rows.header and not {"start", "end"} <= set(rows.header):
            got = ", ".join(rows.header)
            raise UserError(str(path), "a column frame, or columns start and end", got, fix)
        self._by_frame, self._name = "frame" in rows.header, path.name
        self._labels: dict[str, list[Segment]] = {}
        self._faults: dict[str, BadRecord] = {}
        for number, row in rows:
            self._add(number, row)

    def _add(self, number: int, row: Any) -> None:
        if isinstance(row, BadRecord):  # its clip is unknown
            raise UserError(f"{self._name}:{number}", "a row", row.reason, "correct it")
        clip = row.get("clip")
        if not isinstance(clip, str) or not clip:
            got = "none" if clip in (None, "") else f"{clip!r:.100}"
            raise UserError(f"{self._name}:{number}", "the name of a clip", got, "correct it")
        clip = fold_name(clip)
        try:
            self._labels.setdefault(clip, []).append(self._read(row))
        except BadRecord as bad:
            reason = f"{self._name}:{number}: {bad.reason}"
            self._faults.setdefault(clip, BadRecord(bad.step, reason))

    def _read(self, row: Any) -> Segment:
        label = read_optional_label(row.get("label"))
        if label is None:
            raise BadRecord("read labels", "the label is empty")
        if self._by_frame:
            frame = read_place(row.get("frame"), "frame")
            if not frame.is_integer():
                raise BadRecord("read labels", f"frame is no whole number: {row['frame']!r:.100}")
            return frame, frame, label
        return read_place(row.get("start"), "start"), read_place(row.get("end"), "end"), label

    @cached_property
    def names(self) -> set[str]:
        """The clips that have labels."""
        return self._labels.keys() | self._faults.keys()

    def find(self, clip: str) -> tuple[list[Segment], Unit]:
        """The segments of a clip, in order.

        Raises:
            BadRecord: one of its rows is wrong.
        """
        clip = fold_name(clip)
        if clip in self._faults:
            raise self._faults[clip]
        labels = set(self._labels.get(clip, []))  # a row that comes twice says nothing new
        if self._by_frame:
            return merge_frames([(int(frame), label) for frame, _, label in labels]), "frames"
        return sorted(labels), "seconds"
