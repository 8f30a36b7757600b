"""What Prometheus is told."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("detente_requests", "Requests answered.", ["path", "status"], registry=self.registry)
        self.seconds = Histogram(
            "detente_request_seconds", "From head to answer.", ["path"], buckets=SECONDS, registry=self.registry
        )
        self.in_flight = Gauge("detente_in_flight", "Requests that are labelled or wait.", registry=self.registry)
        self.batch = Histogram(
            "detente_batch_sentences",
            "Sentences that were read together.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.readings = Counter("detente_readings", "Readings given.", ["tone"], registry=self.registry)
