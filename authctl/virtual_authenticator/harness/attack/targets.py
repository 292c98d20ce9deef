"""What attacks are aimed at: a server, or several of the same kind with different settings, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from authctl.errors import AuthctlError, ServerUnreachable
from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.errors import CannotTest
from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.stage import Lab, Stage
from authctl.virtual_authenticator.harness.attack.verdicts import said
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.faults.stage import Ability
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
    from authctl.virtual_authenticator.harness.relying_party import Visit

USERNAMELESS: Final = "usernameless"
TWO_USERS: Final = "two-users"
TRUSTED_ROOT: Final = "trusted-root"


class Target(Protocol):
    """Where cases are played, for one thread."""

    name: str

    def lab(self, needs: Needs) -> Lab:
        """The server with the settings that a case needs, as far as settings can be had."""
        ...

    def close(self) -> None:
        """Lets go of everything that was opened."""
        ...


class OneServer:
    """A server that is as it is."""

    def __init__(self, lab: Lab) -> None:
        self.name = lab.relying_party.name
        self._lab = lab

    def lab(self, needs: Needs) -> Lab:
        """The server."""
        return self._lab

    def close(self) -> None:
        """Closes its connections."""
        self._lab.relying_party.close()


def lab_of(
    server: DescribedServer,
    can: frozenset[str] = frozenset(),
    abilities: Mapping[str, Ability] | None = None,
    root_seed: str = "",
) -> Lab:
    """A server with what its recipe says of it, and what else is known.

    root_seed  of the root that the server was told to trust; without it what the recipe says
    """
    seed = root_seed or server.recipe.root_seed
    return Lab(
        server,
        server.capabilities | can | ({TRUSTED_ROOT} if seed else set()),
        {**server.abilities, **(abilities or {})},
        related=server.recipe.related,
        authority=Authority.of_seed(seed) if seed else Authority(),
    )


@dataclass(frozen=True, slots=True)
class Survey:
    """What can be seen of a server without attacking it.

    lab               with the capabilities that were seen
    asks_attestation  whether its creation options ask for attestation
    """

    lab: Lab
    asks_attestation: bool


def survey(lab: Lab) -> Survey:
    """Looks at the options of a server; whatever cannot be seen is taken as not there."""
    with Stage(lab, Needs()) as stage:
        visit = stage.person().visit
        asks = _asks_attestation(visit)
        found = {TWO_USERS, USERNAMELESS} if _is_usernameless(visit) else {TWO_USERS}
    return Survey(replace(lab, capabilities=lab.capabilities | found), asks)


def require_control(lab: Lab) -> None:
    """Registers somebody and logs in, without a fault.

    ServerUnreachable when nothing answers, CannotTest when the server does not accept it.
    """
    try:
        with Stage(lab, Needs()) as stage:
            person = stage.person()
            for ceremony, act in (("registration", person.register), ("login", person.log_in)):
                _, reaction = act()
                if reaction.verdict is not Verdict.ACCEPTED:
                    raise CannotTest(f"A {ceremony} with nothing wrong was {said(reaction)}", hint=_HINT)
    except (ServerUnreachable, CannotTest):
        raise
    except AuthctlError as error:
        raise CannotTest(
            f"A ceremony with nothing wrong came to no end: {error.detail}", hint=error.hint or _HINT
        ) from error


_HINT: Final = "Does the origin fit the server, and the recipe? `authctl simulate login` shows each step"


def _asks_attestation(visit: Visit) -> bool:
    try:
        options = visit.begin_registration()
    except AuthctlError:
        return True
    return options.get("attestation") not in (None, "none")


def _is_usernameless(visit: Visit) -> bool:
    try:
        options = visit.begin_login(named=False)
    except AuthctlError:
        return False
    return not options.get("allowCredentials")
