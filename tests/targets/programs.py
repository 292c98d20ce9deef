"""Starts the servers of the tests as processes of their own, and installs what those under Node need."""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[2]
NODE: Final = Path(__file__).parent / "node"
_START_SECONDS: Final = 60.0
_INSTALL_SECONDS: Final = 600


def has_node() -> bool:
    """Whether Node and npm are there."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def node_project(name: str) -> Path:
    """A project of `node/` with its packages, outside the checkout and made once for each state of its files."""
    source = NODE / name
    files = [source / each for each in ("package.json", "package-lock.json", "server.mjs")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "authctl-tests"
    project = cache / f"{name}-{digest[:16]}"
    if not project.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=cache))
        for file in files:
            shutil.copy(file, made)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=made,
            check=True,
            capture_output=True,
            timeout=_INSTALL_SECONDS,
        )
        # Of several processes that install at once, the first one's is taken.
        with suppress(OSError):
            made.rename(project)
        shutil.rmtree(made, ignore_errors=True)
    return project


def node_command(program: str) -> list[str]:
    """How a program is started under Node."""
    # Node 18 has the Web Crypto that these libraries use only on demand.
    major = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout[1:].split(".")[0]
    options = ["--experimental-global-webcrypto"] if int(major) < 19 else []
    return ["node", *options, program]


@contextmanager
def running_node(name: str) -> Iterator[str]:
    """The address of a server of `node/` while it runs."""
    with running(node_command("server.mjs"), node_project(name)) as url:
        yield url


@contextmanager
def running_python(module: str) -> Iterator[str]:
    """The address of a server of this package while it runs."""
    with running([sys.executable, "-m", f"tests.targets.{module}"], ROOT) as url:
        yield url


@contextmanager
def running(command: Sequence[str], directory: Path) -> Iterator[str]:
    """The address that a program writes as its first line; the program ends with the block."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=errors)
        try:
            yield _first_line(process, errors)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _first_line(process: subprocess.Popen[bytes], errors: object) -> str:
    if process.stdout is None or not select.select([process.stdout], [], [], _START_SECONDS)[0]:
        raise TimeoutError("the server did not say where it listens")
    line = process.stdout.readline().decode().strip()
    if not line:
        errors.seek(0)  # type: ignore[attr-defined]  # a temporary file has no public class
        raise RuntimeError(errors.read().decode())  # type: ignore[attr-defined]
    return line
