# mypy: ignore-errors
import clinic
import pytest

from authctl.testing import relying_party

RECIPE = {
    "version": 1,
    "register": {
        "begin": {"url": "/register/begin", "json": {"name": "{user}"}},
        "finish": {"url": "/register/end", "json": "{credential}"},
        "accept": {"status": [200], "json": {"$.welcome": "re:."}},
    },
    "login": {
        "begin": {"url": "/login/begin", "json": {"name": "{user}"}},
        "finish": {"url": "/login/end", "json": "{credential}"},
        "accept": {"status": [200], "json": {"$.welcome": "re:."}},
    },
}


@pytest.fixture(scope="session")
def the_clinic():
    with relying_party(clinic.application, RECIPE, origin=clinic.ORIGIN) as server:
        yield server
