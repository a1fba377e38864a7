import io
import re

from rich.console import Console

from rnnpipe.runs.summary import print_summary
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.vqa import VqaRecipe


def test_the_summary_counts_written_and_dropped_records(drawn_vqa, tmp_path):
    for image in sorted((drawn_vqa / "train").iterdir())[:2]:
        image.write_bytes(b"")
    source = VqaV2(path=drawn_vqa)
    source.prepare(lambda done, total: None)
    build = Build(
        source, VqaRecipe(image=ImageOptions(size=16)), {"test": 0.2}, max_bad_fraction=0.2
    )
    records = build.run(tmp_path / "records")
    terminal = io.StringIO()
    print_summary(records, Console(file=terminal, width=100))
    printed = terminal.getvalue()
    for split, count in records.splits.items():
        assert re.search(rf"{split} +│ +{count} │ +1 │ +\d\.\d │", printed)
    assert re.search(r"dead letters +│ +8 │", printed)
    assert re.search(r"decode image +│ +8 │", printed)
    read = sum(records.splits.values()) + 8
    assert (
        f"{read} raw records read: {read - 8} written, 8 in dead_letters-00000.jsonl\n" in printed
    )
    assert "  8 at step decode image, mostly: the file is empty\n" in printed
