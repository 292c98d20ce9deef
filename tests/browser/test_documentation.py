"""The examples of docs/browsers.md are the files that the tests of this directory run."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import EXAMPLES

DOCUMENT = EXAMPLES.parent / "browsers.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"<!-- (\w+\.py) -->\n\n```python\n(.*?)```\n\n<!-- end -->", TEXT, re.DOTALL))
FILES = sorted(path.name for path in EXAMPLES.glob("*_passkeys.py"))


def test_every_example_is_shown() -> None:
    assert sorted(SHOWN) == FILES


@pytest.mark.parametrize("name", FILES)
def test_what_is_shown_is_what_runs(name: str) -> None:
    assert SHOWN[name] == (EXAMPLES / name).read_text(encoding="utf-8")
