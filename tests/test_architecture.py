"""The rules of the house, executed: who may import whom, which library has which door, how large things may get."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import authctl

ROOT = Path(authctl.__file__).parent
MODULES = {
    ".".join(("authctl", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}

# Of authctl, each package may import itself and what stands here; the longest prefix of a module's name decides.
_SERVER_FEATURES = ("authctl.server.storage", "authctl.server.audit", "authctl.errors", "authctl.clock")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "authctl": (),
    "authctl.__main__": ("authctl.cli", "authctl.commands"),
    "authctl.errors": (),
    "authctl.clock": (),
    "authctl.escaping": (),
    "authctl.settings": ("authctl.errors",),
    "authctl.logs": ("authctl.errors", "authctl.settings"),
    "authctl.server.storage": ("authctl.errors", "authctl.clock"),
    "authctl.server.audit": ("authctl.server.storage", "authctl.errors", "authctl.clock", "authctl.escaping"),
    "authctl.server.tokens": _SERVER_FEATURES,
    "authctl.server.accounts": (*_SERVER_FEATURES, "authctl.server.tokens"),
    "authctl.server.ceremonies": (*_SERVER_FEATURES, "authctl.server.tokens", "authctl.server.accounts"),
    "authctl.server": ("authctl.server", "authctl.settings", "authctl.errors", "authctl.clock", "authctl.logs"),
    "authctl.server.http": ("authctl.server", "authctl.settings", "authctl.errors", "authctl.clock", "authctl.logs"),
    "authctl.virtual_authenticator": ("authctl.errors",),
    "authctl.testing": (
        "authctl.virtual_authenticator",
        "authctl.server",
        "authctl.settings",
        "authctl.errors",
        "authctl.escaping",
    ),
    "authctl.pytest_plugin": ("authctl.testing", "authctl.virtual_authenticator", "authctl.errors"),
    "authctl.commands": ("authctl",),
    "authctl.cli": ("authctl",),
}
# Modules of `authctl.server` itself that stand below the HTTP edge and therefore may not know it.
BELOW_HTTP = ("assembly", "service", "maintenance", "readiness", "keys")

DOORS: dict[str, tuple[str, ...]] = {
    "webauthn": ("authctl.server.ceremonies.relying_party",),
    "jwt": ("authctl.server.tokens.codec",),
    "sqlmodel": ("authctl.server.storage",),
    "sqlalchemy": ("authctl.server.storage",),
    "alembic": ("authctl.server.storage",),
    "psycopg": ("authctl.server.storage",),
    "duckdb": ("authctl.server.storage.parquet",),
    "iptocc": ("authctl.server.audit.detect.countries",),
    "maxminddb": ("authctl.server.audit.detect.countries",),
    "pysqlite3": ("authctl.server.storage",),
    "sqlite3": ("authctl.server.storage",),
    "starlette": ("authctl.server.http", "authctl.server.app", "authctl.server.running"),
    "uvicorn": ("authctl.server.running", "authctl.server.http_protocol"),
    "httptools": ("authctl.server.running", "authctl.server.http_protocol"),
    "typer": ("authctl.commands", "authctl.cli", "authctl.__main__"),
    "rich": ("authctl.commands", "authctl.cli"),
    "cbor2": ("authctl.virtual_authenticator", "authctl.server.ceremonies"),
    "soft_webauthn": ("authctl.virtual_authenticator.soft_device",),
    "httpx2": ("authctl.virtual_authenticator", "authctl.commands", "authctl.testing"),
    "pytest": ("authctl.pytest_plugin",),
    "_pytest": (),
    "pydantic_settings": ("authctl.settings",),
    "limits": ("authctl.server.http", "authctl.server.accounts"),
    "email_validator": ("authctl.server.http", "authctl.server.accounts"),
}
FORBIDDEN = {"click": "Typer carries its own", "fido2": "a test dependency", "requests": "httpx2 is the client"}


@cache
def imports_of(module: str) -> tuple[tuple[str, int], ...]:
    """Every module that `module` imports, with the line; `from a import b` counts as `a.b` where that is a module."""
    path = MODULES[module]
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                found.append((full if full in MODULES else base, node.lineno))
    return tuple(found)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def rule_for(module: str) -> tuple[str, tuple[str, ...]]:
    package = max((name for name in MAY_IMPORT if is_within(module, name)), key=len)
    return package, MAY_IMPORT[package]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_package_may(module: str) -> None:
    package, allowed = rule_for(module)
    if module == "authctl":
        allowed = ()
    wrong = [
        f"line {line}: {name}"
        for name, line in imports_of(module)
        if is_within(name, "authctl")
        and name != "authctl"
        and not (package != "authctl" and is_within(name, package))
        and not any(is_within(name, other) for other in allowed)
    ]
    assert wrong == [], f"{module} belongs to {package}"


@pytest.mark.parametrize("name", BELOW_HTTP)
def test_what_stands_below_the_http_edge_does_not_know_it(name: str) -> None:
    above = ("authctl.server.http", "authctl.server.app", "authctl.server.running", "authctl.commands")
    wrong = [target for target, _ in imports_of(f"authctl.server.{name}") if any(is_within(target, a) for a in above)]
    assert wrong == []


def test_nobody_imports_the_command_line() -> None:
    edges = ("authctl.commands", "authctl.cli")
    wrong = [
        (module, target)
        for module in MODULES
        if not any(is_within(module, edge) for edge in (*edges, "authctl.__main__"))
        for target, _ in imports_of(module)
        if any(is_within(target, edge) for edge in edges)
    ]
    assert wrong == []


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_used_only_behind_its_door(library: str) -> None:
    wrong = [
        f"{module} line {line}"
        for module in MODULES
        if not any(is_within(module, door) for door in DOORS[library])
        for name, line in imports_of(module)
        if is_within(name, library)
    ]
    assert wrong == []


@pytest.mark.parametrize("library", FORBIDDEN)
def test_a_forbidden_library_is_used_nowhere(library: str) -> None:
    users = [module for module in MODULES for name, _ in imports_of(module) if is_within(name, library)]
    assert users == [], FORBIDDEN[library]


@pytest.mark.parametrize("module", MODULES)
def test_a_file_stays_readable(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert MODULES[module].stem not in {"utils", "helpers", "common", "misc"}
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "every module opens with a sentence on what it is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < 50, f"{node.name} is longer than 50 lines"
            assert node.returns is not None, f"{node.name} does not say what it returns"


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_left_open(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    assert not [word for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error") if word in text]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"
            assert not all(isinstance(one, ast.Pass) for one in node.body), f"line {node.lineno}: pass in an except"


def test_nothing_prints_but_the_commands_output() -> None:
    wrong = [
        f"{module} line {node.lineno}"
        for module in MODULES
        if module != "authctl.commands._output"
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []
