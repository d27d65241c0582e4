"""What a bench says: figures with their unit last in the name, and ratios to a peer measured in the same run."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`figures`: our own (`per_s`, `p50_ms`, `rank_us` …). `ratios`: ours to a peer's, by the peer's name.

    `notes` are for a reader and no part of the JSON: sizes, spreads, what was left out and why.
    """

    bench: str
    figures: Mapping[str, float]
    ratios: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def as_json(self) -> str:
        """One object on one line."""
        return json.dumps(
            {"bench": self.bench, "figures": _rounded(self.figures), "ratios": _rounded(self.ratios)}
        )

    def as_text(self) -> str:
        """A line a figure, for a terminal."""
        rows = [
            *_rounded(self.figures).items(),
            *((f"beside {k}", v) for k, v in _rounded(self.ratios).items()),
        ]
        width = max((len(name) for name, _ in rows), default=0)
        lines = [f"  {name:<{width}}  {value:,}" for name, value in rows]
        return "\n".join([f"{self.bench}, on {machine()}", *lines, *(f"  {note}" for note in self.notes)])


def machine() -> str:
    """The processor's name and how many of them there are."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor() or platform.machine()


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Four digits that mean something; whole numbers as they are."""
    return {
        name: value if isinstance(value, int) else float(f"{value:.4g}") for name, value in values.items()
    }
