"""A run as a whole: its results, what is wrong first, and counts; all forms of the report are made from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.harness.attack.verdicts import Mark, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.harness.attack.ledger import Change
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

_WITHOUT_VERDICT: Final = (Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Report:
    """One run.

    server   the address, or what stands for it
    recipe   by which the server was reached
    total    how many cases were to be played
    stopped  why not all of them were; empty when all were
    is_gone  whether that is because nothing answers any more
    changes  against the ledger; None without one
    """

    server: str
    recipe: str
    profile: str
    total: int
    results: tuple[Result, ...]
    seconds: float
    stopped: str = ""
    is_gone: bool = False
    changes: tuple[Change, ...] | None = None

    @property
    def findings(self) -> tuple[Result, ...]:
        """What was wrongly accepted, what the standard demands first, and then what crashed."""
        return self.marked(Mark.WRONGLY_ACCEPTED) + self.marked(Mark.CRASHED)

    @property
    def is_conclusive(self) -> bool:
        """Whether anything was found out about the server: what does not apply to it tells nothing."""
        return self.told > 0

    @property
    def is_complete(self) -> bool:
        """Whether something was found out, and nothing kept the rest from being played."""
        return self.is_conclusive and not self.stopped

    @property
    def told(self) -> int:
        """How many cases have a verdict."""
        return sum(result.outcome not in _WITHOUT_VERDICT for result in self.results)

    def marked(self, mark: Mark) -> tuple[Result, ...]:
        """The results with a mark; what the standard demands before what is prudent."""
        found = [result for result in self.results if result.mark is mark]
        return tuple(sorted(found, key=lambda result: (result.case.force != "must", result.case.tier != "core")))

    def counts(self) -> Counter[Mark]:
        """How many results have each mark."""
        return Counter(result.mark for result in self.results)

    def counts_by(self, group: Callable[[Case], str]) -> dict[str, Counter[Mark]]:
        """The same per layer, tier or whatever `group` says of a case, in the order of first appearance."""
        counts: dict[str, Counter[Mark]] = {}
        for result in self.results:
            counts.setdefault(str(group(result.case)), Counter())[result.mark] += 1
        return counts


def row_of(result: Result) -> dict[str, object]:
    """The members of a result, for JSON and tables."""
    case = result.case
    return {
        "case": case.name,
        "mark": result.mark.value,
        "outcome": result.outcome.value,
        "owed": result.owed,
        "force": case.force,
        "tier": case.tier,
        "layer": case.layer.value,
        "ceremony": case.ceremony,
        "alters": case.alters,
        "status": result.status,
        "reason": result.reason,
        "note": result.note,
        "spec": case.spec,
        "known": list(case.known),
        "excerpt": result.excerpt,
        "seconds": round(result.seconds, 6),
    }


def sentence(result: Result) -> str:
    """A result in a sentence: what was sent, and what the server made of it."""
    answer = " ".join(str(part) for part in (result.status or "", result.reason) if part)
    parts = [f"{result.case.ceremony}, {result.case.alters}: {result.mark}"]
    parts += [f"({answer})"] if answer else []
    text = " ".join(parts)
    return f"{text}; {result.note}" if result.note else text


def verdict(report: Report) -> str:
    """The run in a sentence or two, what is wrong first."""
    counts = report.counts()
    accepted, crashed = counts[Mark.WRONGLY_ACCEPTED], counts[Mark.CRASHED]
    played = f"{len(report.results)} of {report.total} cases" if report.stopped else _number(report.total, "case")
    without = len(report.results) - report.told
    verdicts = f", {without} of them without a verdict," if without else ""
    end = f"{played}{verdicts} under profile {report.profile} in {report.seconds:.1f} s"
    parts = [f"{accepted} wrongly accepted"] if accepted else []
    parts += [f"{crashed} crashed"] if crashed else []
    wrong = " and ".join(parts)
    if not report.is_conclusive:
        first = "Nothing could be tested"
    elif wrong:
        first = wrong[0].upper() + wrong[1:]
    else:
        so_far = "" if report.is_complete else " so far"
        first = f"Nothing was wrongly accepted{so_far}, and nothing crashed"
    stopped = f" Stopped before the end: {report.stopped}." if report.stopped else ""
    return f"{first}: {end}.{stopped}"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
