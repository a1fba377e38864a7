"""HTML pages of one file: no network, no script; images, sounds and styles are inside."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from rnnpipe.report import charts
from rnnpipe.report.cells import show_number, show_table
from rnnpipe.report.items import ReportItem
from rnnpipe.storage.atomic import write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The content of a page, to which a subclass adds what its template shows.

    Args:
        title: what was run, e.g. `vqa · shapes`.
        summary: the outcome in a sentence.
        notices: what a reader must know first.
    """

    template: ClassVar[str]

    title: str
    summary: str
    notices: Sequence[str] = ()

    def derive(self) -> Mapping[str, Any]:
        """What else the template needs, which follows from the content."""
        return {}


def write_page(path: Path, page: Page) -> None:
    """Writes a page to an HTML file, wholly or not at all.

    Args:
        path: the file; one that is there is replaced.
        page: its content.

    Raises:
        OSError: the file cannot be written.
    """
    template = make_environment().get_template(page.template)
    write_text(path, template.render(page=page, frame=charts, **page.derive()))


def make_environment() -> Environment:
    """The templates of pages, with their filters."""
    environment = Environment(
        loader=PackageLoader("rnnpipe.report", "."),
        autoescape=True,  # questions and answers come from anyone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        audio_uri=_to_audio_uri,
        data_uri=_to_data_uri,
        extent=_extent,
        kind=_kind,
        number=show_number,
        percent=_percent,
        rows=show_table,
    )
    return environment


def _to_data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _to_audio_uri(wav: bytes) -> str:
    return "data:audio/wav;base64," + base64.b64encode(wav).decode("ascii")


def _kind(item: ReportItem) -> str:
    """The name of the macro that shows an item."""
    return type(item).__name__.lower()


def _percent(fraction: float) -> str:
    return f"{fraction:.1%}" if math.isfinite(fraction) else show_number(fraction)


def _extent(fraction: float) -> str:
    """A length in CSS, which knows no NaN."""
    return f"{min(max(fraction, 0), 1):.1%}" if math.isfinite(fraction) else "0%"
