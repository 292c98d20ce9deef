"""What tests of other programs use: a server under attack, and authctl's own service with people in it."""

from authctl.testing.attacks import chosen, explanation, play
from authctl.testing.service import LiveService, PasskeyUser, ServiceInProcess
from authctl.testing.under_test import ServerUnderTest, relying_party, root_certificate

__all__ = [
    "LiveService",
    "PasskeyUser",
    "ServerUnderTest",
    "ServiceInProcess",
    "chosen",
    "explanation",
    "play",
    "relying_party",
    "root_certificate",
]
