"""Tables for spreadsheets: CSV in which no cell can be a formula, nor more than one cell wherever it is split."""

import csv
import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula where a cell begins with it."""
SEPARATORS = re.compile(r"[;\t\r\n]+")


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A file `name`.csv with these rows below the head."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.write("\ufeff")  # so that spreadsheets read it as UTF-8
    lines = csv.writer(answer)
    lines.writerow(head)
    for row in rows:
        lines.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return answer


def safe_cell(text: str) -> str:
    """A text no spreadsheet takes for a formula, nor for more than one cell wherever it splits."""
    plain = SEPARATORS.sub(",", text)
    return f"'{plain}" if any(part.lstrip().startswith(FORMULA) for part in plain.split(",")) else plain
