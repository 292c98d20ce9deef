"""The catalogue of malformed and malicious ceremonies: each case gets the verdict that it is owed, for its reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from authctl.server.ceremonies.reasons import Reason
from tests.attacks.cases import Case, Execution, executions, read_cases
from tests.attacks.catalogue import MUTATIONS, SCRIPTS
from tests.attacks.laboratory import Subject
from tests.attacks.playing import Verdict, play
from tests.attacks.summary import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.cases import Needs
    from tests.attacks.laboratory import Laboratory

CASES = read_cases()
NUMBERS = {
    ("must", "core"): 76,
    ("must", "structure"): 61,
    ("hardening", "core"): 9,
    ("positive", "core"): 25,
    ("positive", "core-attestation"): 7,
    ("policy", "core"): 5,
    ("policy", "structure"): 2,
}
"""How many cases of each force and tier concern a relying party; a change of the file has to be meant."""


@pytest.mark.parametrize("execution", executions(CASES), ids=str)
def test_a_ceremony_gets_the_verdict_it_is_owed_when_one_thing_is_altered(
    execution: Execution,
    laboratory: Callable[[Needs], Laboratory],
    record_property: Callable[[str, object], None],
) -> None:
    """R-WA-01 to R-WA-20, R-CH-02 to R-CH-06, R-CH-09: and for the reason it is owed, lest another check hide ours."""
    case = execution.case
    lab = laboratory(case.needs)
    outcome = lab.run(play(Subject(lab, case.needs), execution))
    record_property(PROPERTY, [case.id, outcome.word])
    assert Verdict.CRASHED not in (*outcome.verdicts, outcome.afterwards)
    assert Counter(outcome.verdicts) == Counter(owed_verdicts(case))
    assert Counter(outcome.reasons) == Counter([execution.reason, *[None] * (case.expected == "one")])
    assert case.status in (None, *outcome.statuses)
    assert outcome.afterwards == outcome.owed


def owed_verdicts(case: Case) -> list[Verdict]:
    """The verdicts that a case is owed, in no order."""
    match case.expected:
        case "one":
            return [Verdict.ACCEPTED, Verdict.REFUSED]
        case "accepted":
            return [Verdict.ACCEPTED]
    return [Verdict.REFUSED if case.status is None else Verdict.INVALID_REQUEST]


def test_every_case_has_one_way_to_be_executed_unless_it_is_named_with_its_reason() -> None:
    for case in CASES:
        ways = (case.key in MUTATIONS) + (case.key in SCRIPTS) + bool(case.not_executed)
        assert ways == 1, case.key


def test_nothing_is_entered_in_the_registry_that_the_file_does_not_name() -> None:
    assert {*MUTATIONS, *SCRIPTS} <= {case.key for case in CASES}


def test_the_file_has_every_case_of_its_kinds_once() -> None:
    keys = Counter(case.key for case in CASES)
    assert set(keys.values()) == {1}
    kinds = {case.id: (case.force, case.tier) for case in CASES}
    assert Counter(kinds.values()) == NUMBERS


def test_only_cases_that_may_be_accepted_are_left_out() -> None:
    """Everything that has to be refused is executed, whether a setting could meet it or not."""
    assert {case.force for case in CASES if case.not_executed} == {"positive"}


def test_every_refusal_names_a_reason_that_the_service_has() -> None:
    known = {*Reason, "invalid_request"}
    for execution in executions(CASES):
        if execution.case.expected == "accepted":
            assert execution.reason is None, execution
        else:
            assert execution.reason in known, execution
