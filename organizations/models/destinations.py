"""The destination IDs that records use."""

from django.db import connection

# Finds each destination ID by one index lookup after another: grouping would read all records of the environment.
_IN_USE = """
WITH RECURSIVE used(id, number) AS (
    SELECT min(destination_id), 1 FROM organizations_organization WHERE environment = %s AND destination_id > ''
    UNION ALL
    SELECT (
        SELECT min(destination_id) FROM organizations_organization
        WHERE environment = %s AND destination_id > used.id
    ), number + 1
    FROM used WHERE used.id IS NOT NULL AND number < %s
)
SELECT used.id, (
    SELECT min(name) FROM organizations_organization WHERE environment = %s AND destination_id = used.id
), (
    SELECT COUNT(*) FROM (
        SELECT 1 FROM organizations_organization WHERE environment = %s AND destination_id = used.id LIMIT %s
    ) AS counted
)
FROM used WHERE used.id IS NOT NULL
"""


def destinations_in_use(environment: str, most: int, most_uses: int) -> list[tuple[str, str, int]]:
    """The first `most` destination IDs of an environment, each with the first name among its records, and their number.

    `most_uses + 1` records mean more than `most_uses`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_USE, [environment, environment, most, environment, environment, most_uses + 1])
        rows: list[tuple[str, str, int]] = cursor.fetchall()
    return rows
