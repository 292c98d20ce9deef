"""Runs one ceremony as the options say: server, authenticator, steps, report."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from authctl.commands._output import Format, Output
from authctl.commands.passkeys._file import VARIABLE, open_store
from authctl.errors import AuthenticatorError, UsageError
from authctl.virtual_authenticator import Client, CounterPolicy, Gesture, VirtualAuthenticator
from authctl.virtual_authenticator.attestation.formats import format_named
from authctl.virtual_authenticator.authenticator.keys import algorithm_named
from authctl.virtual_authenticator.authenticator.presets import preset
from authctl.virtual_authenticator.errors import CeremonyRefused, StoreUnusable
from authctl.virtual_authenticator.harness.curl import script
from authctl.virtual_authenticator.harness.recipe.builtin import find
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.reports.junit import junit_report
from authctl.virtual_authenticator.harness.steps import drive
from authctl.virtual_authenticator.harness.transcript import Recorder
from authctl.virtual_authenticator.harness.transport import Transport, origin_of, require_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.commands._output import Row
    from authctl.server.service import Service
    from authctl.virtual_authenticator import CredentialStore
    from authctl.virtual_authenticator.harness.steps import Ceremony, Step
    from authctl.virtual_authenticator.harness.transport import Channel

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags that were asked for by name; None leaves them to the authenticator."""

    user_present: bool | None = None
    user_verified: bool | None = None
    backup_eligible: bool | None = None
    backed_up: bool | None = None

    def gesture(self) -> Gesture:
        """The user's gesture: a flag that was named is sent whatever the server demands."""
        return Gesture(
            is_user_present=self.user_present is not False,
            is_user_verified=self.user_verified is not False,
            backup_eligible=self.backup_eligible,
            backed_up=self.backed_up,
            is_forced=self != Flags(),
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What the options of a simulation said."""

    url: str | None
    origin: str | None
    timeout: float
    passkeys: Path | None
    preset: str
    algorithm: str | None
    attestation: str | None
    counter: str | None
    flags: Flags
    target: str | None = None
    allowed: tuple[str, ...] = ()
    curl: bool = False
    unsent: bool = False


@dataclass(slots=True)
class Simulation:
    """One run: where, with what, and the steps so far.

    server    when it is one by a recipe
    recorder  when what is sent is to be shown as commands
    holds     whether a login is signed and not completed
    """

    name: str
    url: str
    client: Client
    transport: Channel
    output: Output
    steps: list[Step]
    server: DescribedServer | None = None
    recorder: Recorder | None = None
    holds: bool = False

    def drive(self, ceremony: Ceremony[T]) -> T:
        """Runs a ceremony and shows each step to a person."""
        return drive(ceremony, self.transport, on_step=self._on_step)

    def show(self, **facts: object) -> None:
        """Gives the answer: what was done, and in the machine's formats every step of it."""
        value: dict[str, object] = {
            "ceremony": self.name,
            "result": "ok",
            "server": self.url,
            "origin": str(self.client.origin),
            **facts,
            "seconds": round(sum(step.seconds for step in self.steps), 3),
        }
        if self.recorder is not None:
            commands = script(self.recorder.exchanges, self.recorder.base_url)
            if self.output.format is Format.TABLE:
                self.output.lines(commands)
                return
            value["commands"] = commands
        if self.output.format in {Format.JSON, Format.JSONL}:
            value["steps"] = [step_row(step) for step in self.steps]
        self.output.record(value)

    def _on_step(self, step: Step) -> None:
        self.steps.append(step)
        if self.recorder is not None:
            self.recorder.name(f"{step.ceremony}: {step.name}")
            if self.holds and (step.ceremony, step.name) == ("login", "sign"):
                self.recorder.hold()
        if self.output.format is Format.TABLE:
            # The reason of a failure follows as the command's error.
            mark, summary = ("ok    ", step.summary) if step.error is None else ("FAILED", "")
            self.output.message(f"{mark}  {step.ceremony:8}  {step.name:16}  {summary}".rstrip())


@contextmanager
def simulation(name: str, choices: Choices, output: Output, junit: Path | None) -> Iterator[Simulation]:
    """Everything that a simulation needs; afterwards the report is written, whether it succeeded or not.

    What the authenticator or its file refuses before the server is asked, or beside it, is a UsageError.
    """
    steps: list[Step] = []
    report = partial(_write_report, junit, f"authctl.simulate.{name}", steps)
    try:
        with _authenticator_errors_explained(), _opened(choices) as (url, origin, transport, server):
            client = Client(_authenticator(choices), origin, gesture=choices.flags.gesture())
            recorder = transport if isinstance(transport, Recorder) else None
            yield Simulation(name, url, client, transport, output, steps, server, recorder, choices.unsent)
    except BaseException:
        try:
            report()
        except UsageError as error:  # what went wrong before is the answer
            output.warning(error.detail)
        raise
    report()


def step_row(step: Step) -> Row:
    """What is shown of a step."""
    return {
        "ceremony": step.ceremony,
        "step": step.name,
        "ok": step.error is None,
        "summary": step.summary,
        "seconds": round(step.seconds, 6),
        **step.facts,
    }


@contextmanager
def _opened(choices: Choices) -> Iterator[tuple[str, str, Channel, DescribedServer | None]]:
    if choices.target is not None:
        with described_server(choices) as server:
            yield server.base_url, server.origin, server.transport, server
        return
    with _server(choices) as url:
        origin = choices.origin or origin_of(url)
        with _channel(choices)(url) as transport:
            yield url, origin, transport, None


def _channel(choices: Choices) -> Callable[[str], Channel]:
    def channel(url: str) -> Channel:
        transport = Transport(url, timeout=choices.timeout)
        return Recorder(transport, url) if choices.curl else transport

    return channel


def described_server(choices: Choices) -> DescribedServer:
    """The server of --target; RecipeInvalid or UsageError when there is none, or nobody has allowed it."""
    return DescribedServer(
        find(choices.target or ""),
        choices.url,
        origin=choices.origin,
        timeout=choices.timeout,
        allowed=choices.allowed,
        channel=_channel(choices),
    )


@contextmanager
def _server(choices: Choices) -> Iterator[str]:
    if choices.url is not None:
        yield require_url(choices.url)
        return
    from authctl.server.running import temporary_server

    # Any authenticator may come: the presets are there to be tried.
    with temporary_server(authenticator_attachment="any") as server:
        try:
            yield server.url
        except CeremonyRefused as error:
            # Where the error would have one look is gone in a moment.
            error.hint = f"the service, started for this run, noted as reason: {_last_reason(server.service)}"
            raise


def _last_reason(service: Service) -> str:
    from authctl.server.audit.queries import EventQuery

    failures = asyncio.run(service.audit.list(EventQuery(success=False, limit=1)))
    return failures[0].reason or "none" if failures else "none"


def _authenticator(choices: Choices) -> VirtualAuthenticator:
    profile = preset(choices.preset)
    if choices.algorithm is not None:
        profile = replace(profile, algorithms=(algorithm_named(choices.algorithm).identifier,))
    if choices.attestation is not None:
        format_named(choices.attestation)
    counter = None if choices.counter is None else CounterPolicy.parse(choices.counter)
    if counter is not None:
        profile = replace(profile, counter=counter)
    return VirtualAuthenticator(profile, store=_store(choices), counter_override=counter)


def _store(choices: Choices) -> CredentialStore | None:
    # A server that is gone after this run leaves nothing behind that a passkey could be good for. A file that somebody
    # typed is used in any case.
    is_typed = choices.passkeys is not None and str(choices.passkeys) != os.environ.get(VARIABLE)
    if choices.url is None and choices.target is None and not is_typed:
        return None
    store = open_store(choices.passkeys)
    store.shared_count()  # so that a file that cannot be used is told before the server is asked
    return store


@contextmanager
def _authenticator_errors_explained() -> Iterator[None]:
    try:
        yield
    except StoreUnusable:
        raise
    except AuthenticatorError as error:
        raise UsageError(error.detail, hint=error.hint, debug=error.debug) from error


def _write_report(path: Path | None, suite: str, steps: list[Step]) -> None:
    if path is None or not steps:
        return
    try:
        path.write_bytes(junit_report(suite, steps))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="Name another file with --junit"
        ) from error
