"""Audit rows."""


class Events:
    """x."""

    def __init__(self, connection: object) -> None:
        self._c = connection
