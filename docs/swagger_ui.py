"""Brings Swagger UI into the package: the files that the API page needs, from the npm package, byte for byte.

    python -m docs.swagger_ui

To move to another version, change VERSION and INTEGRITY (`npm view swagger-ui-dist@VERSION dist.integrity`), run it,
look at the API page, and commit what changed.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "swagger-ui-dist"
VERSION = "5.35.0"
INTEGRITY = "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ=="
FILES = ("swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE")
FOLDER = Path(__file__).parents[1] / "authctl" / "server" / "pages" / "swagger-ui"
RECORD = """\
# What lies here comes from an npm package and is not changed. Written by `python -m docs.swagger_ui`.
package = "{package}"
version = "{version}"
licence = "Apache-2.0"
integrity = "{integrity}"

[sha256]
{digests}
"""


def main() -> None:
    """Fetches the package, checks it against the pinned digest, and writes the files and their record."""
    with tempfile.TemporaryDirectory() as directory:
        archive = fetch(Path(directory))
        contents = take(archive)
    FOLDER.mkdir(exist_ok=True)
    for name, data in contents.items():
        (FOLDER / name).write_bytes(data)
    (FOLDER / "vendored.toml").write_text(record(contents), encoding="utf-8")
    print(f"{PACKAGE} {VERSION}: {len(contents)} files in {FOLDER}")


def fetch(directory: Path) -> Path:
    """The archive of the package, as npm hands it out; raises when it is not the pinned one."""
    subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=directory, check=True)
    archive = directory / f"{PACKAGE}-{VERSION}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise SystemExit(f"{archive.name} is not the pinned one: sha512-{digest}")
    return archive


def take(archive: Path) -> dict[str, bytes]:
    """The files that are wanted, by name."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as package:
        for name in FILES:
            member = package.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{name} is not in the package")
            found[name] = member.read()
    return found


def record(contents: dict[str, bytes]) -> str:
    """What was taken, for readers and for the test that holds it."""
    digests = "\n".join(f'"{name}" = "{hashlib.sha256(data).hexdigest()}"' for name, data in contents.items())
    return RECORD.format(package=PACKAGE, version=VERSION, integrity=INTEGRITY, digests=digests)


if __name__ == "__main__":
    main()
