"""`authctl users erase`: removes everything that is held about one person."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from authctl.commands._asking import require_yes
from authctl.commands._options import AllowNoAdminOption, ArchiveOption, FormatOption, PersonArgument, YesOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session

if TYPE_CHECKING:
    from authctl.server.accounts.personal_data import Erased


def erase(
    email: PersonArgument,
    yes: YesOption = False,
    archive: ArchiveOption = None,
    allow_no_admin: AllowNoAdminOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Erase everything held about one person.

    The audit trail still verifies afterwards. Account, passkeys, sessions and pending ceremonies go; events about the
    person stay as events and lose e-mail, addresses, user agent and details, in the table, in the log file with its
    rotated siblings, and in an archive. Also for somebody whose account is gone. Interrupted, it is finished by running
    it again. Asks first, unless told --yes.

    Example: authctl users erase jane@example.com
    """
    output = Output(output_format)
    with open_session() as session:
        rights = session.service.personal_data
        person = session.run(rights.find(email, archive))
        stock = session.run(rights.take_stock(person, archive))
        require_yes(output, yes, f"Erase {stock.in_words()} of {email} for good?")
        erased = session.run(rights.erase(person, session.caller, archive, allow_no_admin=allow_no_admin))
    file = ", and what the log file said of them" if erased.is_file_clean else ""
    output.done(f"{email} is erased: {erased.inventory.in_words()}{file}", _row(erased))
    _tell_what_is_left(erased, output)


def _row(erased: Erased) -> dict[str, Any]:
    return {
        **asdict(erased.inventory),
        "is_file_clean": erased.is_file_clean,
        "lines": erased.lines,
        "files_left": [str(path) for path in erased.left],
        "notes": list(erased.notes),
    }


def _tell_what_is_left(erased: Erased, output: Output) -> None:
    for path in erased.left:
        output.warning(f"{path} could not be looked into, and may still name this person")
    for note in erased.notes:
        output.warning(note)
    output.hint("backups, copies and exports are not reached; services on other machines clean their own log files")
