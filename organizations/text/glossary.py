"""The words that the help page explains: at most 20, since nobody reads a longer list.

A state that is not here is explained by the sentence beside it.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    term: str
    meaning: str


GLOSSARY: Mapping[str, Entry] = {
    "organization-record": Entry(
        "Organization record", "One organization in one directory, identified by its OID. Short: the record."
    ),
    "environment": Entry(
        "Environment",
        "STAGING or PRODUCTION: two separate directories, each with its own records and credentials. The portal never "
        "mixes them.",
    ),
    "oid": Entry(
        "OID",
        "The record’s identifier: numbers with dots between them. Once sent, it is never used for another record.",
    ),
    "part-of": Entry(
        "PartOf",
        "The OID of the record above. A top-level record is part of the gateway, which is Redox’s own organization.",
    ),
    "counterpart": Entry(
        "Counterpart", "The record of the same organization in the other environment. Their OIDs usually differ."
    ),
    "submission": Entry(
        "Submission", "One reviewed message, a New or an Update, until it is accepted, rejected or cancelled."
    ),
    "attempt": Entry("Attempt", "One try to send a submission. A submission can need several."),
    "not_registered": Entry(
        "Not registered", "No message with this OID has been accepted, or the directory no longer has the OID."
    ),
    "deactivated": Entry(
        "Deactivated",
        "The record stays in the directory with Active = false. Others stop using it. You can reactivate it.",
    ),
    "seen": Entry(
        "Seen", "The directory showed this record when the portal asked. No message from the portal was accepted yet."
    ),
    "stated": Entry("Stated", "A person says, with a reason, that this OID was registered outside the portal."),
    "changes_not_sent": Entry(
        "Changes not sent", "Values that are saved here, differ from what was last accepted, and have not been sent."
    ),
    "directory_differs": Entry(
        "Directory differs",
        "The directory shows other values than those that were last accepted. You choose which values stay.",
    ),
    "equivalent": Entry(
        "Equivalent",
        "Another spelling with the same meaning, such as USA and US. It is shown, and you do not have to decide.",
    ),
    "awaiting": Entry(
        "Awaiting approval",
        "Reviewed, and not sent. It waits for an approver who did not work on it. "
        "In this release nothing awaits approval.",
    ),
    "accepted": Entry(
        "Accepted",
        "By Redox’s answer, by what the directory showed, or by a person’s decision. Each page says which it was.",
    ),
    "rejected": Entry(
        "Rejected",
        "By Redox or by a person’s decision. This message is not sent again; your changes are still saved here.",
    ),
    "needs_person": Entry(
        "Needs a decision",
        "The portal cannot decide alone. An approver compares the record with the directory and decides.",
    ),
    "paused": Entry(
        "Paused",
        "Nothing is sent for now, and nothing is lost. A paused environment continues after Redox has answered a "
        "Query; a paused plan continues when somebody resumes it.",
    ),
    "stopped": Entry(
        "Stopped",
        "A stopped environment sends nothing until somebody has corrected the cause and resumes it. A stopped plan "
        "does not continue: its messages that were never sent are cancelled.",
    ),
}
