"""Asks the directory about an OID that is not a record here. Only the history keeps the answer.

A record that gets this OID later gets the answer as its reading, if it showed the OID.
"""

from organizations.models import Action
from organizations.services.actors import Actor
from organizations.services.audit import audit, exchanges
from organizations.services.connection import breaker
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.services.delivery import query


def ask_about_oid(environment: str, oid: str, *, actor: Actor) -> DirectoryAnswer:
    """Query one OID and log every exchange. Must not be called inside a transaction."""
    answer = query.query_oid(environment, oid)
    with audit.atomic(actor) as history:
        breaker.pause_if_asked(history, environment, answer.outcome)
        for facts, exchange, cause in query.exchange_entries(answer):
            history.log(
                Action.DIRECTORY_ASKED,
                object={"type": "directory", "id": oid, "name": oid},
                environment=environment,
                oid=oid,
                detail=cause,
                details=facts,
                **exchanges.exchange_body(exchange),
            )
    return answer
