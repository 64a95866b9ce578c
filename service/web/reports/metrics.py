"""Safety reports as Prometheus sees them, counted in the records when it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from service.domain.errors import Unavailable
from service.operations.report.figures import count_reports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from service.operations.ports import Clock, Records


class ReportMetrics:
    """``htg117_reports_*``. Alarms belong on ``rejected``, ``oldest_unreported_days`` and
    ``unjoined_acknowledgements``."""

    def __init__(self, records: Records, clock: Clock, registry: CollectorRegistry) -> None:
        """Joins the registry."""
        self._records = records
        self._clock = clock
        registry.register(self)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges without values: nothing is read when they are registered."""
        yield from _gauges()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they stand; all but the first are empty where the records do not answer."""
        answers, states, undecided, oldest, strays, held = _gauges()
        try:
            found = count_reports(self._records, self._clock())
        except Unavailable:
            answers.add_metric((), 0)
        else:
            answers.add_metric((), 1)
            for state, count in found.states.items():
                states.add_metric((state,), count)
            undecided.add_metric((), found.undecided)
            oldest.add_metric((), found.oldest)
            strays.add_metric((), found.strays)
            held.add_metric((), found.held)
        yield from (answers, states, undecided, oldest, strays, held)


def _gauges() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("htg117_reports_answers", "1 where the safety reports could be counted"),
        GaugeMetricFamily("htg117_reports", "Safety reports by state", labels=("state",)),
        GaugeMetricFamily(
            "htg117_reports_undecided", "Events of which it is not known whether they are to be reported"
        ),
        GaugeMetricFamily(
            "htg117_reports_oldest_unreported_days", "Age of the oldest report that nobody outside has"
        ),
        GaugeMetricFamily(
            "htg117_reports_unjoined_acknowledgements",
            "Acknowledgements that belong to no report sent from here",
        ),
        GaugeMetricFamily(
            "htg117_reports_held_back", "Reports held back by a text that may identify the patient"
        ),
    )
