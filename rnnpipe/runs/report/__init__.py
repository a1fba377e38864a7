"""The report of a run: one self-contained HTML page."""

from rnnpipe.runs.report.page import Page, write_report

__all__ = ["Page", "write_report"]
