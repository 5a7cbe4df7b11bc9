"""The places at which a worker can be interrupted, and the kinds of messages that are tested at each."""

from tests.factories import BASE

SENDING = ("after-intent", "after-exchange", "after-response", "in-settling", "after-settling")
ASKING = ("before-asking", "after-asking", "in-deciding", "after-deciding")
NEW, UPDATE, LOST_NEW, ABSENT_NEW, LOST_UPDATE = (f"{BASE}.{number}" for number in range(1, 6))
KINDS = {
    NEW: ("New", SENDING),
    UPDATE: ("Update", SENDING),
    LOST_NEW: ("Query about a New that landed", ASKING),
    ABSENT_NEW: ("Query about a New that did not land", ASKING),
    LOST_UPDATE: ("Query about an Update", ASKING),
}
"""By the OID of the record: the kind of message or Query, and the places where a worker can be interrupted."""
