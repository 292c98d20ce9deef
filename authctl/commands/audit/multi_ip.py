"""`authctl audit multi-ip`: users who logged in from two or more addresses."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output, Row
from authctl.commands.audit._answering import LIMIT, show_groups, show_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authctl.server.audit.records import Group

_BY: Final = ("user_email", "ip_address")
_COLUMNS: Final = (
    Column("user_email", "User", least=12),
    Column("addresses", "Addresses"),
    Column("logins", "Logins"),
    Column("first", "First", least=19),
    Column("last", "Last", least=19),
    Column("ip_addresses", "From", least=15),
)
_EMPTY: Final = "No user logged in from more than one address."


@filtered(without=("order", "success", "reason"), defaults={"limit": LIMIT})
def multi_ip(filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """List users who logged in from two or more addresses.

    Those with the most come first. Only logins that succeeded count, and distinct addresses: ten logins from one place
    are one address. Somebody who travels, or whose phone changes networks, is here too: --ip shows what else came from
    an address.

    --count-by counts the logins of exactly these users.

    Example: authctl audit multi-ip --since 24h

    Example: authctl audit multi-ip --since 7d --count-by user,agent
    """
    wanted = filters.wanted(datetime.now(UTC), events=("login_complete",), success=True)
    by = filters.columns()
    output = Output(output_format, is_utc=filters.utc)
    with filters.source() as source:
        if filters.print_query:
            show_query(source, output, wanted, (*_BY, *by))
            return
        users = _travellers(source.groups(wanted, tuple(dict.fromkeys((*_BY, *by)))))
    if by:
        counted = _counted_by(by, users.values())
        show_groups(counted[: wanted.limit], by, output, limit=wanted.limit, empty=_EMPTY)
        return
    rows = sorted((_row(email, groups) for email, groups in users.items()), key=_most_first)[: wanted.limit]
    output.table(rows, _COLUMNS, empty=_EMPTY)
    if len(rows) == wanted.limit:
        output.hint(f"at most {wanted.limit} users are shown; --limit shows more")


def _travellers(groups: Iterable[Group]) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        email, address = group.values[:2]
        if email is not None and address is not None:  # an erased person is nobody any more
            found[str(email)].append(group)
    return {email: groups for email, groups in found.items() if len(_addresses(groups)) > 1}


def _addresses(groups: Sequence[Group]) -> list[str]:
    """The addresses, the one of the latest login first."""
    latest: dict[str, datetime] = {}
    for group in groups:
        address = str(group.values[1])
        latest[address] = max(group.last, latest.get(address, group.last))
    return sorted(latest, key=lambda address: (latest[address], address), reverse=True)


def _row(email: str, groups: Sequence[Group]) -> Row:
    addresses = _addresses(groups)
    return {
        "user_email": email,
        "addresses": len(addresses),
        "logins": sum(group.total for group in groups),
        "first": min(group.first for group in groups),
        "last": max(group.last for group in groups),
        "ip_addresses": addresses,
    }


def _most_first(row: Row) -> tuple[int, str]:
    return -int(str(row["addresses"])), str(row["user_email"])


def _counted_by(by: Sequence[str], users: Iterable[Sequence[Group]]) -> list[Group]:
    """The groups of some users, with fewer columns: what agrees in those that are left is one group."""
    from authctl.server.audit.sources import merge_groups

    names = tuple(dict.fromkeys((*_BY, *by)))
    places = [names.index(name) for name in by]
    narrowed = (
        group._replace(values=tuple(group.values[place] for place in places)) for groups in users for group in groups
    )
    return merge_groups(narrowed)
