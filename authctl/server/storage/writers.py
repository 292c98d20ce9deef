"""Audit writers."""


class Writers:
    """x."""

    def __init__(self, connection: object) -> None:
        self._c = connection
