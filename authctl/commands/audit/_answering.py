"""How every question to the trail is answered: with the events that fit, with counts of them, or with the query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from authctl.commands._output import Column, Format, Output, Row
from authctl.commands._views import EVENT_COLUMNS, event_row, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from authctl.commands._filters import Filters
    from authctl.server.audit.records import EventRecord, EventSource, Group
    from authctl.server.storage.event_query import EventFilter

NOTHING_FITS: Final = "No events fit."
LIMIT: Final = 100
"""How many rows are shown unless somebody says otherwise."""
_COUNTED_HEADINGS: Final = {
    "event_type": "Event",
    "success": "Result",
    "user_email": "User",
    "user_id": "User id",
    "target_user_id": "Whose record",
    "ip_address": "Address",
}


def event_rows(events: Iterable[EventRecord]) -> Iterator[Row]:
    """The events as they are."""
    return map(event_row, events)


def answer(
    filters: Filters,
    output_format: Format,
    *,
    columns: Sequence[Column] = EVENT_COLUMNS,
    rows: Callable[[Iterable[EventRecord]], Iterable[Row]] = event_rows,
    empty: str = NOTHING_FITS,
    **fixed: Any,
) -> None:
    """Answers the question that the options and the command's own `fixed` fields ask.

    rows  makes what is shown out of the events, where that is more than they say themselves
    """
    wanted = filters.wanted(datetime.now(UTC), **fixed)
    by = filters.columns()
    output = Output(output_format, is_utc=filters.utc)
    with filters.source() as source:
        answer_from(source, wanted, by, filters, output, columns=columns, rows=rows, empty=empty)


def answer_from(
    source: EventSource,
    wanted: EventFilter,
    by: Sequence[str],
    filters: Filters,
    output: Output,
    *,
    columns: Sequence[Column] = EVENT_COLUMNS,
    rows: Callable[[Iterable[EventRecord]], Iterable[Row]] = event_rows,
    empty: str = NOTHING_FITS,
) -> None:
    """The same, of a source that is open already."""
    if filters.print_query:
        show_query(source, output, wanted, by)
    elif by:
        show_groups(source.groups(wanted, by, top=wanted.limit), by, output, limit=wanted.limit, empty=empty)
    else:
        show_rows(rows(source.events(wanted)), columns, output, wanted, empty=empty)


def show_query(source: EventSource, output: Output, wanted: EventFilter, by: Sequence[str] = ()) -> None:
    """Shows what would be asked, one line at a time."""
    for line in source.describe(wanted, by).splitlines():
        output.text(line)


def show_rows(
    rows: Iterable[Row], columns: Sequence[Column], output: Output, wanted: EventFilter, *, empty: str = NOTHING_FITS
) -> None:
    """Shows events, and says so when there may be more than the limit let through."""
    counted = _Counted(rows)
    output.table(counted, columns, empty=empty)
    if counted.number == wanted.limit:
        end = "newest" if wanted.newest_first else "oldest"
        output.hint(f"{_the(counted.number)} {end}; --limit shows more")


def show_groups(
    groups: Sequence[Group], by: Sequence[str], output: Output, *, limit: int | None, empty: str = NOTHING_FITS
) -> None:
    """Shows how many events there are of each kind, the largest first."""
    output.table((group_row(group, by) for group in groups), group_columns(by), empty=empty)
    if len(groups) == limit:
        output.hint(f"{_the(len(groups))} largest; --limit shows more")


def group_row(group: Group, by: Sequence[str]) -> Row:
    """One group: what its events have in common, and their numbers."""
    values = {name: _plain(name, value) for name, value in zip(by, group.values, strict=True)}
    return {**values, "total": group.total, "failures": group.failures, "first": group.first, "last": group.last}


def group_columns(by: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a table of groups."""
    named = [
        Column(
            name,
            _COUNTED_HEADINGS.get(name, name.replace("_", " ").capitalize()),
            least=12,
            words=outcome if name == "success" else None,
        )
        for name in by
    ]
    return (
        *named,
        Column("total", "Total"),
        Column("failures", "Failures", alarm=lambda row: bool(row.get("failures"))),
        Column("first", "First", least=19),
        Column("last", "Last", least=19),
    )


def _the(number: int) -> str:
    return "this is the" if number == 1 else f"these are the {number}"


def _plain(name: str, value: object) -> object:
    return bool(value) if name == "success" else value


class _Counted:
    """Rows, counted while they pass."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.number += 1
            yield row
