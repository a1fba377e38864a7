"""Reports: the items that one can show, their drawing, and the self-contained HTML page."""
