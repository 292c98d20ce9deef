"""Keys that registration refuses, put into the store all the same: a login with one breaks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.cases import AUTHENTICATION, Case, read_cases
from tests.attacks.catalogue import MUTATIONS
from tests.attacks.laboratory import Subject
from tests.attacks.playing import Verdict, verdict_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.cases import Needs
    from tests.attacks.laboratory import Laboratory

STILL_THE_SAME_KEY = {"reg.key.long-x", "reg.key.cbor-array", "reg.key.cbor-nonminimal"}
"""Other ways to write the key that the library reads: who signs has its private part, so that nobody is let in."""

KEYS = [case for case in read_cases() if case.id.startswith("reg.key.")]


async def log_in_with(subject: Subject, case: Case) -> tuple[Verdict, str | None]:
    """The verdict on a login with a planted key, and what the trail says of it."""
    await subject.register()
    owner = subject.other()
    draft = owner.make(await subject.begin_registration())
    MUTATIONS[case.key](draft)
    await subject.plant(draft)
    assertion = owner.sign({**await subject.begin_login(), "allowCredentials": []})
    assertion.envelope["response"].pop("userHandle")
    answer = await subject.complete_login(assertion.document())
    return verdict_on(answer, AUTHENTICATION), (await subject.lab.last_events("login_complete"))[0].reason


@pytest.mark.parametrize("case", KEYS, ids=lambda case: case.id)
def test_a_login_does_not_crash_when_the_stored_key_is_one_that_registration_refuses(
    case: Case, laboratory: Callable[[Needs], Laboratory]
) -> None:
    """R-WA-20: the library raises what it likes over such keys, and none of it reaches the caller."""
    lab = laboratory(case.needs)
    verdict, reason = lab.run(log_in_with(Subject(lab, case.needs), case))
    if case.id in STILL_THE_SAME_KEY:
        assert (verdict, reason) == (Verdict.ACCEPTED, None)
    else:
        assert verdict is Verdict.REFUSED
        assert reason in {"signature_invalid", "library_error", "library_refused"}
