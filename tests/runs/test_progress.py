import io

from rich.console import Console

from rnnpipe.runs.progress import BuildProgress


def test_every_stage_has_a_line_with_its_count():
    terminal = io.StringIO()
    with BuildProgress(Console(file=terminal, width=100)) as progress:
        progress("counting", 0, 0)
        progress("writing", 5, 20)
        progress("writing", 20, 20, 3)
    told = terminal.getvalue()
    assert "counting" in told
    assert "20/20" in told
    assert "3 dead letters" in told
