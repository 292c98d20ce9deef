from __future__ import annotations

from datetime import timedelta
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from authctl.commands._output import Output
from authctl.commands.audit._polling import OVERLAP, POLLS_PER_LOOK, Tail, wait
from authctl.errors import SettingsError, StorageMissing, StorageUnavailable
from authctl.server.storage.event_query import EventFilter
from tests.commands.trail_in_memory import START, Memory, an_event

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = timedelta(seconds=1)


class Story:
    """What happens between the polls: one step for each pause; after the last, the watching ends."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = iter(steps)

    def __call__(self) -> None:
        step = next(self._steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()


def nothing() -> None:
    pass


def followed(memory: Memory, *steps: Callable[[], object], limit: int | None = 20, **wanted: object) -> list[int]:
    """The sequence numbers of what is shown while the steps happen."""
    tail = Tail(
        memory.open,
        EventFilter(limit=limit, **wanted),  # type: ignore[arg-type]
        output=Output(),
        pause=Story(*steps),
        now=lambda: START + timedelta(days=1),
    )
    shown = [event.seq for event in tail.begin()]
    with pytest.raises(KeyboardInterrupt):
        shown.extend(event.seq for event in tail.follow())
    return shown


def adding(memory: Memory, number: int, **members: object) -> Callable[[], None]:
    return lambda: memory.held.append(an_event(number, **members))


def test_the_last_events_come_first_and_then_each_new_one() -> None:
    memory = Memory([an_event(number, created_at=START + number * SECOND) for number in range(10)])
    new = adding(memory, 10, created_at=START + 20 * SECOND)
    assert followed(memory, nothing, new, nothing, limit=3) == [7, 8, 9, 10]


def test_a_trail_that_is_empty_is_followed_from_its_first_event() -> None:
    memory = Memory()
    assert followed(memory, nothing, adding(memory, 1), nothing) == [1]


def test_a_row_with_an_older_time_is_shown_when_it_is_committed_late() -> None:
    memory = Memory([an_event(1), an_event(2, created_at=START + 10 * SECOND)])
    late = adding(memory, 3, created_at=START + 10 * SECOND - OVERLAP + SECOND)
    assert followed(memory, late, nothing) == [1, 2, 3]


def test_what_the_limit_left_out_in_the_beginning_does_not_come_as_new() -> None:
    memory = Memory([an_event(number) for number in range(50)])
    assert followed(memory, nothing, nothing, limit=2) == [48, 49]


def test_nothing_is_missed_and_nothing_comes_twice_over_many_polls() -> None:
    memory = Memory()
    numbers = count()

    def one_more() -> None:
        number = next(numbers)
        memory.held.append(an_event(number, created_at=START + number * 7 * SECOND))

    assert followed(memory, *[one_more] * (5 * POLLS_PER_LOOK)) == list(range(5 * POLLS_PER_LOOK))


def test_nothing_is_missed_when_the_terminal_stands_still_for_long() -> None:
    memory = Memory([an_event(0)])
    tail = Tail(
        memory.open, EventFilter(limit=5), output=Output(), pause=nothing, now=lambda: START + timedelta(days=1)
    )
    tail.begin()
    following = tail.follow()
    memory.held.append(an_event(1, created_at=START + SECOND))
    assert next(following).seq == 1
    # While the row was not taken, an hour went by.
    memory.held += [an_event(number, created_at=START + number * timedelta(minutes=10)) for number in range(2, 8)]
    assert [event.seq for event in islice(following, 6)] == [2, 3, 4, 5, 6, 7]


def test_polls_ask_only_for_what_can_be_new_when_the_filter_fits_rarely() -> None:
    memory = Memory([an_event(1, event_type="audit_gap"), an_event(2, created_at=START + timedelta(hours=1))])
    assert followed(memory, nothing, nothing, event_types=("audit_gap",)) == [1]
    assert memory.asked[-1].since == START + timedelta(hours=1) - OVERLAP


def test_polls_stay_within_the_time_that_was_asked_for() -> None:
    memory = Memory([an_event(1)])
    followed(memory, nothing, since=START - SECOND)
    assert memory.asked[-1].since == START - SECOND


def test_a_writer_whose_clock_is_ahead_hides_nothing_of_the_others() -> None:
    memory = Memory([an_event(1, created_at=START + timedelta(days=30))])
    new = adding(memory, 2, created_at=START + timedelta(days=1))
    assert followed(memory, nothing, new, nothing) == [1, 2]


def test_what_was_shown_is_forgotten_when_it_cannot_come_again() -> None:
    memory = Memory([an_event(1)])
    tail = Tail(
        memory.open, EventFilter(limit=5), output=Output(), pause=nothing, now=lambda: START + timedelta(days=1)
    )
    tail.begin()
    following = tail.follow()
    memory.held.append(an_event(2, created_at=START + timedelta(hours=1)))
    assert next(following).seq == 2
    memory.held.append(an_event(3, created_at=START + timedelta(hours=2)))
    for _ in range(1):
        next(following)
    assert an_event(1).id not in tail._seen


def test_a_trail_that_is_away_is_told_once_and_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    memory = Memory([an_event(1)])

    def goes() -> None:
        memory.failure = StorageMissing("There is no database at app.db")

    def returns() -> None:
        memory.failure = None
        memory.held.append(an_event(2, created_at=START + SECOND))

    assert followed(memory, goes, nothing, nothing, returns, nothing) == [1, 2]
    assert capsys.readouterr().err == "warning: There is no database at app.db; waiting for it\nIt is back.\n"


def test_a_trail_that_goes_while_it_is_open_is_opened_again() -> None:
    memory = Memory([an_event(1)])

    def goes() -> None:
        memory.failure = StorageUnavailable()

    def returns() -> None:
        memory.failure = None

    followed(memory, nothing, goes, returns, nothing)
    assert memory.opened > 2


def test_a_new_trail_is_followed_after_a_reset() -> None:
    memory = Memory([an_event(number) for number in range(5)])

    def reset() -> None:
        memory.held[:] = [an_event(100, event_type="database_reset", created_at=START + 5 * SECOND)]

    assert followed(memory, reset, nothing) == [0, 1, 2, 3, 4, 100]


def test_what_is_wrong_in_the_beginning_is_an_error() -> None:
    with pytest.raises(StorageMissing):
        followed(Memory(failure=StorageMissing()))


def test_what_waiting_cannot_mend_is_an_error() -> None:
    memory = Memory([an_event(1)])

    def breaks() -> None:
        memory.failure = SettingsError(("wrong",))

    tail = Tail(memory.open, EventFilter(limit=5), output=Output(), pause=Story(breaks))
    tail.begin()
    with pytest.raises(SettingsError):
        next(tail.follow())


def test_the_source_is_opened_anew_from_time_to_time() -> None:
    memory = Memory([an_event(1)])
    followed(memory, *[nothing] * (3 * POLLS_PER_LOOK))
    assert memory.opened == 1 + 3 + 1 - 1


def test_a_pause_lasts_as_long_as_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    wait(2.5)()
    assert slept == [2.5]
