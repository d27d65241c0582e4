"""Counts in the shape Prometheus reads: families of samples, made when somebody asks for them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from vteam.metrics.spread import Spread

L = TypeVar("L", bound=Sequence[str])


def counter(name: str, text: str, value: float) -> CounterMetricFamily:
    """One number that only grows."""
    return CounterMetricFamily(name, text, value=value)


def counters(name: str, text: str, labels: Sequence[str], values: Mapping[L, float]) -> CounterMetricFamily:
    """A number that only grows for each combination of labels."""
    family = CounterMetricFamily(name, text, labels=labels)
    for which, value in values.items():
        family.add_metric(which, value)
    return family


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    """One number as it is now."""
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: Sequence[str], values: Mapping[L, float]) -> GaugeMetricFamily:
    """A number as it is now for each combination of labels."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for which, value in values.items():
        family.add_metric(which, value)
    return family


def spreads(name: str, text: str, labels: Sequence[str], values: Mapping[L, Spread]) -> HistogramMetricFamily:
    """How values spread for each combination of labels."""
    family = HistogramMetricFamily(name, text, labels=labels)
    for which, spread in values.items():
        ends = [*(f"{bound:g}" for bound in spread.bounds), "+Inf"]
        buckets = list(zip(ends, map(float, accumulate(spread.counts)), strict=True))
        family.add_metric(which, buckets, sum_value=spread.total)
    return family


def workers(processes: Mapping[int, int]) -> Iterator[Metric]:
    """Memory, processor time and open files of the processes behind this one, by the row they count in."""
    told: dict[str, Metric] = {}
    for row, pid in processes.items():
        for family in ProcessCollector("worker", pid=partial(str, pid), registry=None).collect():
            kept = told.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                kept.add_sample(sample.name, {"worker": str(row)}, sample.value)
    yield from told.values()
