"""`authctl audit summary`: the trail at a glance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output, Row
from authctl.commands.audit._answering import NOTHING_FITS, group_columns, group_row
from authctl.commands.audit._spans import Spans, spans_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from authctl.server.audit.records import EventSource, Group
    from authctl.server.storage.event_query import EventFilter

_TOP: Final = 10
_BARS: Final = 48
"""How many spans of time are told where no terminal says what it has room for."""
_SECTIONS: Final = {
    "events": ("event_type", "success"),
    "addresses": ("ip_address",),
    "users": ("user_email",),
    "reasons": ("reason",),
}
"""What is counted, by the names of the answer's members."""
_HEADINGS: Final = {"events": "Event", "addresses": "Address", "users": "User", "reasons": "Reason of failure"}
_CSV_COLUMNS: Final = tuple(map(Column, ("section", "name", "success", "total", "failures", "first", "last")))


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers. `over_time` has the beginning, the events and the failures of each span."""

    total: int
    failures: int
    first: datetime | None
    last: datetime | None
    sections: dict[str, list[Group]]
    spans: Spans
    over_time: list[tuple[datetime, int, int]]


@filtered(without=("order", "count_by"), defaults={"limit": _TOP})
def summary(filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """Show the trail at a glance.

    How much of what, by whom, from where, why it failed, and when. --limit is the length of the lists. What failed is
    marked in the bars.

    Example: authctl audit summary --since 7d

    Example: authctl audit summary --ip 203.0.113.0/24 --format json
    """
    now = datetime.now(UTC)
    wanted = filters.wanted(now)
    output = Output(output_format, is_utc=filters.utc)
    with filters.source() as source:
        if filters.print_query:
            _show_queries(source, output, wanted)
            return
        found = _summarised(source, wanted, now, bars=_room_for_bars(output))
    match output_format:
        case Format.CSV:
            output.table(_csv_rows(found), _CSV_COLUMNS)
        case Format.TABLE if not found.total:
            output.message(NOTHING_FITS)
        case Format.TABLE:
            _show(found, output)
        case _:
            output.record(_document(found))


def _summarised(source: EventSource, wanted: EventFilter, now: datetime, *, bars: int) -> Summary:
    top = wanted.limit
    sections = {name: _largest(source, wanted, name, top) for name in _SECTIONS}
    kinds = sections["events"]
    first = min((group.first for group in kinds), default=None)
    last = max((group.last for group in kinds), default=None)
    begin = wanted.since or first or now
    end = wanted.until or (now if wanted.since is not None or last is None else last)
    spans = spans_between(begin, max(begin, end), bars)
    return Summary(
        total=sum(group.total for group in kinds),
        failures=sum(group.failures for group in kinds),
        first=first,
        last=last,
        sections=sections,
        spans=spans,
        over_time=spans.sums(source.groups(wanted, (spans.unit,))),
    )


def _largest(source: EventSource, wanted: EventFilter, section: str, top: int | None) -> list[Group]:
    by = _SECTIONS[section]
    if section == "events":
        return source.groups(wanted, by)
    asked = _failed(wanted) if section == "reasons" else wanted
    if asked is None:
        return []
    # One more, because those without address, e-mail or reason are one group too.
    groups = source.groups(asked, by, top=None if top is None else top + 1)
    return [group for group in groups if group.values[0] is not None][:top]


def _failed(wanted: EventFilter) -> EventFilter | None:
    return None if wanted.success else replace(wanted, success=False)


def _show_queries(source: EventSource, output: Output, wanted: EventFilter) -> None:
    for name, by in (*_SECTIONS.items(), ("over time", ("hour",))):
        asked = _failed(wanted) if name == "reasons" else wanted
        if asked is not None:
            for line in (f"-- {name}", *source.describe(asked, by).splitlines(), ""):
                output.text(line)


def _room_for_bars(output: Output) -> int:
    if not output.is_drawn:
        return _BARS
    from authctl.commands._charts import columns_in

    return columns_in(output.room, most=1_000_000)


def _show(found: Summary, output: Output) -> None:
    output.record({"events": found.total, "failures": found.failures, "first": found.first, "last": found.last})
    for name, groups in found.sections.items():
        if groups:
            output.text("")
            if output.is_drawn:
                output.draw(partial(_bars, name, groups))
            else:
                by = _SECTIONS[name]
                output.table([group_row(group, by) for group in groups], group_columns(by))
    if not output.is_drawn:
        output.text("")
        columns = (
            Column("from", f"Each {found.spans.words} from"),
            Column("total", "Total"),
            Column("failures", "Failures"),
        )
        output.table(_over_time(found), columns)
        return
    output.text("")
    output.draw(partial(_histogram, found, output))


def _bars(name: str, groups: Sequence[Group], console: Console) -> RenderableType:
    from authctl.commands._charts import BLOCKS, LETTERS, Bar, bars
    from authctl.commands._rendering import cell

    # An outcome has no line of its own here: the failures are marked in the bar of the event.
    sums: dict[str, Bar] = {}
    for group in groups:
        word = cell(group.values[0])
        known = sums.get(word, Bar(word, 0, 0))
        sums[word] = Bar(word, known.total + group.total, known.failures + group.failures)
    items = sorted(sums.values(), key=lambda bar: -bar.total)
    return bars(_HEADINGS[name], items, console.width, LETTERS if console.options.ascii_only else BLOCKS)


def _histogram(found: Summary, output: Output, console: Console) -> RenderableType:
    from authctl.commands._charts import BLOCKS, LETTERS, Bar, histogram

    times = replace(output.times, is_brief=True)
    columns = [
        Bar(times.write(begin)[: len("2026-11-01 08:00")], total, failures)
        for begin, total, failures in found.over_time
    ]
    ink = LETTERS if console.options.ascii_only else BLOCKS
    return histogram(f"Events in each {found.spans.words}", columns, console.width, ink)


def _over_time(found: Summary) -> list[Row]:
    return [{"from": begin, "total": total, "failures": failures} for begin, total, failures in found.over_time]


def _document(found: Summary) -> Row:
    sections = {
        name: [group_row(group, _SECTIONS[name]) for group in groups] for name, groups in found.sections.items()
    }
    return {
        "total": found.total,
        "failures": found.failures,
        "first": found.first,
        "last": found.last,
        **sections,
        "over_time": {"seconds": found.spans.seconds, "spans": _over_time(found)},
    }


def _csv_rows(found: Summary) -> list[Row]:
    """Every number with the section it belongs to, one to a line."""
    rows: list[Row] = []
    for name, groups in found.sections.items():
        for group in groups:
            row = group_row(group, _SECTIONS[name])
            rows.append({"section": name, "name": group.values[0], **row})
    return [*rows, *({"section": "over_time", "name": row["from"], **row} for row in _over_time(found))]
