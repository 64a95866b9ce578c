"""The outbox as Prometheus sees it: what waits and is stuck is read when it asks, attempts are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily

from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from service.operations.deliver import Attempt
    from service.operations.outbox import Outbox
    from service.operations.ports import Clock


class OutboxMetrics:
    """``htg117_outbox_*``. An alarm belongs on ``stuck`` above 0 and on ``oldest_seconds``."""

    def __init__(self, outbox: Outbox, clock: Clock, registry: CollectorRegistry) -> None:
        """Joins the registry."""
        self._outbox = outbox
        self._clock = clock
        self._attempts = Counter(
            "htg117_outbox_attempts", "Attempts at a delivery by how they ended", ("channel", "fate"),
            registry=registry,
        )  # fmt: skip
        registry.register(self)

    def count(self, attempt: Attempt) -> None:
        """Counts one attempt."""
        self._attempts.labels(attempt.channel, str(attempt.fate or "overtaken")).inc()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges without values: nothing is read when they are registered."""
        yield from _gauges()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they stand; those of the backlog are empty where the outbox does not answer."""
        answers, waiting, oldest, stuck = _gauges()
        try:
            backlog = self._outbox.backlog()
        except Unavailable:
            backlog = ()
            answers.add_metric((), 0)
        else:
            answers.add_metric((), 1)
        now = self._clock()
        for one in backlog:
            waiting.add_metric((one.channel,), one.open)
            stuck.add_metric((one.channel,), one.stuck)
            age = (now - one.oldest).total_seconds() if one.oldest else 0.0
            oldest.add_metric((one.channel,), max(age, 0.0))
        yield from (answers, waiting, oldest, stuck)


def _gauges() -> tuple[GaugeMetricFamily, ...]:
    by_channel = ("channel",)
    return (
        GaugeMetricFamily("htg117_outbox_answers", "1 where the outbox could be read"),
        GaugeMetricFamily("htg117_outbox_waiting", "Messages not yet delivered", labels=by_channel),
        GaugeMetricFamily("htg117_outbox_oldest_seconds", "Age of the oldest of them", labels=by_channel),
        GaugeMetricFamily("htg117_outbox_stuck", "Messages refused or given up", labels=by_channel),
    )
