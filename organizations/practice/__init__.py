"""The practice directory: our stand-in for Redox and the Carequality directory, for demonstration and tests.

It is written from Redox's documents alone. It shares no code with the portal's Redox package, because it would accept
an error in shared code. It listens on the loopback address only.
"""

from organizations.practice.behaviour import BEHAVIOURS, Behaviour
from organizations.practice.credentials import ENVIRONMENTS, Credential, write_credentials
from organizations.practice.server import PracticeDirectory, ReceivedRequest
from organizations.practice.store import Effect

__all__ = [
    "BEHAVIOURS",
    "ENVIRONMENTS",
    "Behaviour",
    "Credential",
    "Effect",
    "PracticeDirectory",
    "ReceivedRequest",
    "write_credentials",
]
