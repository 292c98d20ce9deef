"""Sends what the API description allows, and what it forbids, to a live service, and holds the answers against it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.config._checks import NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES
from schemathesis.engine import events, from_schema
from schemathesis.hooks import unregister

from authctl.server.audit.events import Caller
from authctl.server.running import temporary_server
from tests.builders import Visitor
from tests.fuzz.people import Asker, Live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemathesis import Case
    from schemathesis.engine.recorder import ScenarioRecorder

    from authctl.server.service import Service

OPERATOR: Final = Caller(None, None, None, "request-1", actor="os:root(0)")
REDIRECTS: Final = ["/login", "/users"]
"""They send any body on, and judge none."""

FEW: Final = 8
MANY: Final = 60
"""Cases that are made up for an operation in one turn of an asker, beside those that its shapes themselves name."""


@dataclass
class Findings:
    """What has come of it: how many cases, which answers each operation gave, and what was not as described."""

    cases: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def take(self, recorder: ScenarioRecorder) -> None:
        """Adds what one scenario has shown."""
        self.cases += len(recorder.interactions)
        for name, interaction in recorder.interactions.items():
            label = recorder.cases[name].value.operation.label
            if interaction.response is None:
                self.failures[f"{label}: no answer"] = str(interaction.request.uri)
            else:
                self.answers[label, interaction.response.status_code] += 1
        for check in (check for checks in recorder.checks.values() for check in checks):
            if check.failure_info is not None:
                failure = check.failure_info
                self.failures.setdefault(f"{recorder.label}: {check.name}: {failure.failure}", failure.code_sample)


def fuzz(
    wanted: int,
    seed: int,
    *,
    description: dict[str, Any] | None = None,
    say: Callable[[str], None] = lambda _: None,
    **settings: Any,
) -> Findings:
    """Sends at least `wanted` cases; the same ones for the same seed, but for what the service itself draws.

    description  another one than the service gives of itself
    settings     of the service, by field name, such as another database
    """
    findings = Findings()
    settings = {"rate_limits": False, "authenticator_attachment": "any", **settings}
    with _trouble(findings), temporary_server(**settings) as server:
        service = Live(server.url)
        askers = _askers(service, server.service)
        described = description or service.call("GET", "/openapi.json").json()
        for turn, asker in enumerate(cycle(askers)):
            if turn >= len(askers) and findings.cases >= wanted:
                break
            _run(described, asker, seed + turn, findings, is_first=turn < len(askers))
            say(f"{findings.cases} cases, {len(findings.failures)} findings")
        service.close()
    return findings


def _askers(live: Live, service: Service) -> list[Asker]:
    jane, root = Visitor(live, "jane@example.com"), Visitor(live, "root@example.com")
    for visitor in (jane, root):
        visitor.register()
    asyncio.run(service.roles.promote(root.email, OPERATOR))
    return [Asker("nobody", live), Asker("user", live, jane, jane), Asker("admin", live, root, jane)]


def _run(description: dict[str, Any], asker: Asker, seed: int, findings: Findings, *, is_first: bool) -> None:
    config = SchemathesisConfig.from_dict(_configuration(asker, seed, is_first=is_first))
    schema = schemathesis.openapi.from_dict(description, config=config)

    def before_call(context: object, case: Case[Any], kwargs: dict[str, Any]) -> None:
        asker.make_real(case)

    schemathesis.hook(before_call)
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                findings.take(event.recorder)
            elif isinstance(event, events.NonFatalError | events.FatalError):
                findings.failures[f"the engine: {event}"] = ""
    finally:
        unregister(before_call)


def _configuration(asker: Asker, seed: int, *, is_first: bool) -> dict[str, Any]:
    # What examples and boundaries there are does not depend on the seed, and nobody meets most of them.
    once = {"enabled": is_first and asker.visitor is not None}
    return {
        "seed": seed,
        "base-url": asker.service.origin,
        "headers": asker.headers(),
        "max-redirects": 0,
        "continue-on-failure": True,
        "generation": {"max-examples": FEW if is_first else MANY, "database": "none"},
        "phases": {"examples": once, "coverage": once},
        # The schema of a body cannot say what makes a ceremony good, nor what a name may hold.
        "checks": {
            "positive_data_acceptance": {"enabled": False},
            "negative_data_rejection": {
                "expected-statuses": [*NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES, "413", "431"]
            },
        },
        "operations": [{"include-path": REDIRECTS, "checks": {"negative_data_rejection": {"enabled": False}}}],
    }


@contextmanager
def _trouble(findings: Findings) -> Iterator[None]:
    """Counts what the service logs of itself, which nobody should ever have to read, among the findings."""
    handler = _LogHandler(findings)
    logger = logging.getLogger("authctl")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _LogHandler(logging.Handler):
    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.ERROR)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the first line, with its traceback."""
        self._findings.failures.setdefault("the log", logging.Formatter().format(record))
