"""The signature count: judged last, by compare-and-set, as a signal of clones."""

from __future__ import annotations

import pytest

from authctl.server.audit.events import EventType
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies.harness import JANE, Ceremonies, refused_login
from tests.server.ceremonies.messages import Passkey, authenticator_data


@pytest.mark.parametrize(("stored", "new"), [(5, 5), (5, 4), (5, 0)])
def test_a_clone_is_suspected_when_the_count_has_not_grown(ceremonies: Ceremonies, stored: int, new: int) -> None:
    """R-WA-13: the refusal and the alarm are in one transaction, and the credential still works."""
    jane = ceremonies.register(sign_count=stored)
    data = authenticator_data(sign_count=new)
    assert refused_login(ceremonies, jane.get(ceremonies.challenge(), data=data)) == Reason.CLONE_SUSPECTED
    alarm = ceremonies.last(EventType.CREDENTIAL_CLONE_SUSPECTED)
    assert (alarm.success, alarm.user_email) == (False, JANE.email)
    assert f"went from {stored} to {new} in a login from IP: 192.0.2.1" in alarm.details
    jane.sign_count = stored + 1
    assert ceremonies.complete_login(jane.get(ceremonies.challenge())).user.email == JANE.email


@pytest.mark.parametrize("counts", [(0, 0, 0), (0, 1, 2), (7, 4294967295)])
def test_a_count_may_stay_zero_or_grow(ceremonies: Ceremonies, counts: tuple[int, ...]) -> None:
    """R-WA-13."""
    jane = ceremonies.register(sign_count=counts[0])
    for count in counts[1:]:
        jane.sign_count = count
        assert ceremonies.complete_login(jane.get(ceremonies.challenge())).user.email == JANE.email


def test_a_low_count_raises_no_alarm_when_the_signature_is_invalid(ceremonies: Ceremonies) -> None:
    """R-WA-14: the alarm is out of reach for who does not hold the key."""
    jane = ceremonies.register(sign_count=5)
    thief = Passkey(user_handle=jane.user_handle)
    thief.credential_id = jane.credential_id
    thief.sign_count = 1
    assert refused_login(ceremonies, thief.get(ceremonies.challenge())) == Reason.SIGNATURE_INVALID
    assert all(event.type is not EventType.CREDENTIAL_CLONE_SUSPECTED for event in ceremonies.journal.events)
    user = ceremonies.user()
    assert user is not None
    assert ceremonies.database.write_now(lambda tx: tx.credentials.of_user(user.id))[0].sign_count == 5
