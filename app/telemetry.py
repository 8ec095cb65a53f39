"""What is counted, for Prometheus: never by client, so that no label names anybody."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

_REQUESTS = Histogram(
    "merit_request_seconds", "Time to answer a request.", ["method", "route", "status"]
)
_EVALUATIONS = Counter("merit_evaluations", "Clients judged.", ["policy"])
_FAILURES = Counter(
    "merit_failed_evaluations", "Evaluations from which no tier could be named.", ["reason"]
)
_STALE = Counter("merit_stale_answers", "Standings told that should have been decided anew.")

_HOOKS = Counter("merit_hook_attempts", "Messages sent to web hooks.", ["outcome"])

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; made-up methods are one, so that nobody adds labels at will."""
    method = method if method in _METHODS else "other"
    _REQUESTS.labels(method, route, str(status)).observe(seconds)


def count_evaluations(digest: str, number: int) -> None:
    """Count clients judged by a policy."""
    _EVALUATIONS.labels(digest[:12]).inc(number)


def count_failure(reason: str) -> None:
    """Count an evaluation in which the engine failed or the evaluators differed."""
    _FAILURES.labels(reason).inc()


def count_stale() -> None:
    """Count a standing that was told though it is not good any more."""
    _STALE.inc()


def count_hook(outcome: str) -> None:
    """Count an attempt to tell a receiver something: delivered, failed, given up or lost."""
    _HOOKS.labels(outcome).inc()


def exposition() -> tuple[bytes, str]:
    """Return all counts as Prometheus reads them, of all processes if they share a folder."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's
    return generate_latest(registry), CONTENT_TYPE_LATEST
