"""Events become chained rows, in the transaction of their change or not at all."""

from __future__ import annotations

from tests.server.audit.workbench import Service, Site, an_event


def test_a_trail_is_intact_when_nobody_touched_it(site: Site, service: Service) -> None:
    service.write(*(an_event(n) for n in range(1, 21)))
    service.checkpoint()
    service.stop()
    verdict = site.verify()
    assert verdict.findings == ()
    assert verdict.is_intact
    assert (verdict.counts.rows, verdict.counts.lines) == (21, 21)
