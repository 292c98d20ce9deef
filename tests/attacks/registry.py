"""Which function performs which case: one small mutation or script per case and variant, entered by a decorator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import httpx2

    from tests.attacks.laboratory import Subject

    Mutation = Callable[[Any], object]
    Script = Callable[[Subject], Awaitable[list[httpx2.Response]]]

F = TypeVar("F", bound=Callable[..., object])

NULL: Final = object()
"""What a mutation returns to have JSON's null sent; None means the draft, as it has become."""

MUTATIONS: dict[tuple[str, str], Mutation] = {}
"""Each takes the draft of a valid message and changes it, or returns what is to be sent in its place."""

SCRIPTS: dict[tuple[str, str], Script] = {}
"""Each plays a whole story and returns the answers that are to be judged."""


def mutation(case_id: str, variant: str = "") -> Callable[[F], F]:
    """Enters a mutation; one function may serve several cases."""

    def enter(function: F) -> F:
        assert (case_id, variant) not in MUTATIONS
        MUTATIONS[case_id, variant] = function
        return function

    return enter


def script(case_id: str, variant: str = "") -> Callable[[F], F]:
    """Enters a script."""

    def enter(function: F) -> F:
        assert (case_id, variant) not in SCRIPTS
        SCRIPTS[case_id, variant] = function  # type: ignore[assignment]
        return function

    return enter
