"""Every rule, in the order in which they are listed: the list is the folder."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from authctl.errors import UsageError
from authctl.server.audit.detect.rules import (
    account_sweep,
    audit_gap,
    brute_force_account,
    brute_force_address,
    clone_suspected,
    credential_probing,
    denied_sweep,
    many_addresses,
    new_country,
    quick_admin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.server.audit.detect.interface import Rule

RULES: Final[tuple[Rule, ...]] = (
    brute_force_address.RULE,
    brute_force_account.RULE,
    credential_probing.RULE,
    account_sweep.RULE,
    clone_suspected.RULE,
    many_addresses.RULE,
    new_country.RULE,
    denied_sweep.RULE,
    quick_admin.RULE,
    audit_gap.RULE,
)


def rules_named(names: Iterable[str]) -> tuple[Rule, ...]:
    """The rules with these names, in the order of the list; without names all. Raises UsageError for another name."""
    wanted = set(names)
    known = [rule.name for rule in RULES]
    for name in sorted(wanted.difference(known)):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise UsageError(
            f"There is no rule {name}", hint=f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
        )
    return tuple(rule for rule in RULES if not wanted or rule.name in wanted)
