"""Runs the ceremonies of a recipe against a server: one browser per visit, and every answer judged."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import AuthctlError, UsageError
from authctl.virtual_authenticator.errors import UnexpectedAnswer
from authctl.virtual_authenticator.harness.accounts import throw_away_account
from authctl.virtual_authenticator.harness.recipe.cookies import CookieJar
from authctl.virtual_authenticator.harness.recipe.places import MISSING, Place
from authctl.virtual_authenticator.harness.recipe.rules import judge, judge_failure, judge_step
from authctl.virtual_authenticator.harness.recipe.sending import Sender
from authctl.virtual_authenticator.harness.recipe.templates import CREDENTIAL, fill
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
    from authctl.virtual_authenticator.harness.recipe.model import Ceremony, Recipe, Step
    from authctl.virtual_authenticator.harness.relying_party import Reaction
    from authctl.virtual_authenticator.harness.transport import Answer

_A_PROFILE: Final = 'profile = { url = "/me", headers = { Authorization = "Bearer {token}" } }'
_FURTHER_DOWN: Final = 'options = "$.publicKey"'


class RecipeVisit:
    """A Visit as a recipe describes it.

    account  of this person
    values   what templates know: the person, the place, and all that was saved
    """

    def __init__(self, server: DescribedServer, account: Account | None = None, *, is_new: bool | None = None) -> None:
        self.account: Account = account or throw_away_account()
        self._server = server
        self._sender = Sender(server, CookieJar())
        self._is_branch = False
        # Somebody who was named has an account, unless the caller knows better.
        self._has_setup = not (account is None if is_new is None else is_new)
        self._login: Ceremony = self._recipe.login
        self.values: dict[str, Any] = _account_values(self.account) | server.values()

    def begin_registration(self) -> Mapping[str, Any]:
        """The options of `register.begin`, after set-up and the steps before it."""
        self._set_up()
        return self._begin(self._recipe.register)

    def finish_registration(self, credential: object) -> Reaction:
        """What the server makes of a credential."""
        return self._finish(self._recipe.register, credential)

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        """The options of `login.begin`, or of `login.usernameless` where nobody is named."""
        self._login = self._recipe.login if named else self._usernameless()
        return self._begin(self._login)

    def finish_login(self, assertion: object) -> Reaction:
        """What the server makes of an assertion."""
        return self._finish(self._login, assertion)

    @property
    def has_profile(self) -> bool:
        """Whether the recipe says how one is read."""
        return self._recipe.profile is not None

    def read_profile(self) -> Reaction:
        """What only somebody who is logged in may read, as the recipe's `profile` says; UsageError where it does not.

        Never raises for an answer.
        """
        step = self._recipe.profile
        if step is None:
            raise UsageError(
                f"The recipe {self._recipe.name} does not say how a profile is read",
                hint=f"A line for it: {_A_PROFILE}",
            )
        started = time.perf_counter()
        try:
            return judge_step(step, self._sender.send(step, self.values))
        except AuthctlError as error:
            return judge_failure(error, time.perf_counter() - started)

    def perform(self, steps: tuple[Step, ...], credential: object = MISSING) -> None:
        """Performs further steps of the recipe; raises AuthctlError when one is answered otherwise than it says."""
        values = self.values if credential is MISSING else self.values | {CREDENTIAL: credential}
        for step in steps:
            self._ask(step, values)

    def branch(self, account: Account | None = None) -> RecipeVisit:
        """The same browser with the same values, but for those of another account, in another thread."""
        other = RecipeVisit(self._server, account or self.account)
        other._sender = Sender(self._server, self._sender.cookies.copy())
        other._login = self._login
        other.values = self.values | _account_values(other.account)
        other._is_branch = True
        return other

    def close(self) -> None:
        """Undoes what the recipe can undo; what fails there is nobody's finding."""
        if self._is_branch:
            return
        for step in self._recipe.teardown:
            try:
                self._ask(step, self.values)
            except AuthctlError:
                # What has never come to be cannot be undone.
                return

    @property
    def _recipe(self) -> Recipe:
        return self._server.recipe

    def _set_up(self) -> None:
        if not self._has_setup:
            self._has_setup = True
            self.perform(self._recipe.setup)

    def _usernameless(self) -> Ceremony:
        recipe = self._recipe
        if recipe.usernameless is None and "usernameless" not in recipe.capabilities:
            raise UnexpectedAnswer(
                f"The recipe {recipe.name} has no login that names nobody", hint="[login.usernameless] describes one"
            )
        return recipe.usernameless or recipe.login

    def _begin(self, ceremony: Ceremony) -> Mapping[str, Any]:
        self.perform(ceremony.before)
        answer = self._ask(ceremony.begin, self.values)
        if isinstance(ceremony.options, Place):
            options = ceremony.options.find(answer)
            where = f"at {ceremony.options.text} in the answer to {answer.request.method} {answer.request.path}"
        else:
            options, where = fill(ceremony.options, self.values), "in what was saved"
        return _options(options, where)

    def _finish(self, ceremony: Ceremony, credential: object) -> Reaction:
        started = time.perf_counter()
        try:
            answer = self._sender.send(ceremony.finish, self.values | {CREDENTIAL: credential})
        except AuthctlError as error:
            return judge_failure(error, time.perf_counter() - started)
        reaction = judge(ceremony, answer)
        if reaction.verdict is Verdict.ACCEPTED:
            found = {name: place.find(answer) for name, place in ceremony.finish.save.items()}
            self.values |= {name: value for name, value in found.items() if value is not MISSING}
        return reaction

    def _ask(self, step: Step, values: Mapping[str, Any]) -> Answer:
        answer = self._sender.ask(step, values)
        for name, place in step.save.items():
            found = place.find(answer)
            if found is MISSING:
                what = f"{answer.request.method} {answer.request.path}"
                raise UnexpectedAnswer(f"The answer to {what} has no {place.text}, which was to be saved as {name}")
            self.values[name] = found
        return answer


def _options(found: Any, where: str) -> Mapping[str, Any]:
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, dict):
        raise UnexpectedAnswer(f"There are no options {where}", hint="`options` in the recipe says where they are")
    if not isinstance(found.get("challenge"), str):
        hint = f"They are further down: {_FURTHER_DOWN}" if "publicKey" in found else None
        raise UnexpectedAnswer(f"The options {where} have no challenge", hint=hint)
    return found


def _account_values(account: Account) -> dict[str, Any]:
    digest = hashlib.sha256(account.email.encode()).hexdigest()
    return {
        "user": account.email,
        "display_name": f"{account.first_name} {account.last_name}",
        "first_name": account.first_name,
        "last_name": account.last_name,
        "date_of_birth": account.date_of_birth,
        "job_title": account.job_title,
        # Some servers give an account only with a password; whoever comes back has the same one.
        "password": f"Aa1-{digest[:24]}",
    }
