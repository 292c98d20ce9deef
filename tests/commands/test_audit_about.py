from __future__ import annotations

from authctl.commands._people import People
from authctl.commands.audit._about import Subject, events_about, find_subject
from authctl.server.storage.event_query import EventFilter
from tests.commands.trail_in_memory import START, Memory, an_event

NOBODY = People(has_database=False)


def test_every_id_that_an_e_mail_had_belongs_to_the_person() -> None:
    memory = Memory([an_event(number, user_email="a@b.cd", user_id=f"u{number}") for number in (1, 2)])
    found = find_subject(EventFilter(user_email="a@b.cd"), memory, NOBODY)
    assert found == Subject("a@b.cd", ("u1", "u2"), has_account=False, is_known=True)


def test_the_e_mail_of_an_id_is_the_one_that_its_own_events_tell() -> None:
    memory = Memory(
        [an_event(1, user_email="admin@b.cd", user_id="other"), an_event(2, user_email="a@b.cd", user_id="u1")]
    )
    assert find_subject(EventFilter(user_id="u1"), memory, NOBODY).email == "a@b.cd"
    assert find_subject(EventFilter(user_id="u2"), Memory(), NOBODY) == Subject(None, ("u2",), False, False)


def test_a_question_about_a_person_is_one_for_each_of_their_names() -> None:
    memory = Memory([an_event(1)])
    about = events_about(Subject("a@b.cd", ("u1",), has_account=True, is_known=True), memory)
    assert [event.seq for event in about.events(EventFilter(user_email="x"))] == [1]
    assert [(wanted.user_email, wanted.user_id) for wanted in memory.asked] == [("a@b.cd", None), (None, "u1")]
    assert len(about.describe(EventFilter(), ("day",)).split("\n\n")) == 2
    about.close()


def test_events_are_counted_once_and_by_spans_of_time_too() -> None:
    memory = Memory([an_event(1), an_event(2, success=False)])
    about = events_about(Subject("a@b.cd", ("u1",), has_account=True, is_known=True), memory)
    groups = about.groups(EventFilter(limit=1), ("minute", "hour", "day", "month", "success"))
    assert [(group.values, group.total) for group in groups] == [
        (("2026-06-01T12:00Z", "2026-06-01T12:00Z", "2026-06-01", "2026-06", 0), 1),
        (("2026-06-01T12:00Z", "2026-06-01T12:00Z", "2026-06-01", "2026-06", 1), 1),
    ]
    assert groups[0].first == groups[0].last == START
    assert about.groups(EventFilter(), ("event_type",), top=1)[0].total == 2
