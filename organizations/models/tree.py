"""The tree of records: ancestors and branches by one recursive query each, on SQLite and PostgreSQL alike."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Count, Q
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact

from .organization import Organization, OrganizationQuerySet, Presence, open_work_rule
from .submission import OPEN_STATES

# A tree this deep does not exist; the bound ends the query should rows ever form a circle.
DEEPEST = 60

_ANCESTORS = """
WITH RECURSIVE line(start, id, part_of_oid, depth) AS (
    SELECT child.oid, parent.id, parent.part_of_oid, 1
    FROM organizations_organization child
    JOIN organizations_organization parent ON parent.environment = child.environment AND parent.oid = child.part_of_oid
    WHERE child.environment = %s AND child.oid IN ({places})
    UNION ALL
    SELECT line.start, parent.id, parent.part_of_oid, line.depth + 1
    FROM line
    JOIN organizations_organization parent ON parent.environment = %s AND parent.oid = line.part_of_oid
    WHERE line.depth < {deepest}
)
SELECT start, id FROM line ORDER BY start, depth DESC
"""

_BRANCH = """
WITH RECURSIVE branch(id, oid) AS (
    SELECT id, oid FROM organizations_organization WHERE environment = %s AND oid = %s
    UNION
    SELECT child.id, child.oid FROM organizations_organization child
    JOIN branch ON child.part_of_oid = branch.oid WHERE child.environment = %s
)
SELECT id FROM branch
"""

# Upwards until a pair of start and parent comes again: a circle adds no row, which ends the query.
_BELOW_THEMSELVES = """
WITH RECURSIVE above(start, oid) AS (
    SELECT oid, part_of_oid FROM organizations_organization WHERE environment = %s AND oid IN ({places})
    UNION
    SELECT above.start, record.part_of_oid
    FROM above
    JOIN organizations_organization record ON record.environment = %s AND record.oid = above.oid
)
SELECT start FROM above WHERE start = oid
"""

# Upwards as the directory has it or will: by what was accepted (by what is wanted, of a record never accepted), by what
# is on its way, and by what a later reading shows. A circle adds no row, which ends the query.
_ABOVE_IN_THE_DIRECTORY = """
WITH RECURSIVE above(oid) AS (
    SELECT CAST(%s AS text)
    UNION
    SELECT CAST(
        CASE ways.way
            WHEN 0 THEN COALESCE(NULLIF(record.confirmed_part_of_oid, ''), record.part_of_oid)
            WHEN 1 THEN sent.part_of_oid
            ELSE record.shown_part_of_oid
        END AS text
    )
    FROM above
    JOIN organizations_organization record ON record.environment = %s AND record.oid = above.oid
    CROSS JOIN ({ways}) ways
    LEFT JOIN organizations_submission sent ON sent.id = record.last_submission_id AND sent.state IN ({places})
)
SELECT oid FROM above
"""


# Each parent that is named, by steps through the index from one to the next, and of these the ones that are not ours.
_FOREIGN_PARENTS = """
WITH RECURSIVE parents(oid) AS (
    SELECT min(part_of_oid) FROM organizations_organization WHERE environment = %s
    UNION ALL
    SELECT (
        SELECT min(part_of_oid) FROM organizations_organization WHERE environment = %s AND part_of_oid > parents.oid
    )
    FROM parents WHERE parents.oid IS NOT NULL
)
SELECT oid FROM parents WHERE oid IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM organizations_organization ours WHERE ours.environment = %s AND ours.oid = parents.oid
)
"""

# How many records each parent has, in all (key "") and of each key of OPEN_WORK; then from each parent up to the
# records that are named. Few records are parents, so that this costs little more than counting. A circle adds no row,
# which ends the query.
_BELOW_EACH = """
WITH RECURSIVE counted(parent, key, number) AS MATERIALIZED (
    SELECT part_of_oid, '', COUNT(*) FROM organizations_organization WHERE environment = %s GROUP BY part_of_oid
    UNION ALL
    SELECT part_of_oid, 'directory_differs', COUNT(*)
    FROM organizations_organization WHERE environment = %s AND differs > 0 GROUP BY part_of_oid
    UNION ALL
    {work}
),
above(parent, oid) AS (
    SELECT DISTINCT parent, parent FROM counted
    UNION
    SELECT above.parent, record.part_of_oid
    FROM above JOIN organizations_organization record ON record.environment = %s AND record.oid = above.oid
)
SELECT above.oid, counted.key, SUM(counted.number)
FROM above JOIN counted ON counted.parent = above.parent
WHERE above.oid IN ({places})
GROUP BY above.oid, counted.key
"""


@dataclass(slots=True)
class Below:
    """How many records lie below one record, at any depth, and how many of them have each key of OPEN_WORK."""

    records: int = 0
    work: dict[str, int] = field(default_factory=dict)


def ancestors_of(environment: str, oids: Iterable[str]) -> dict[str, list[Organization]]:
    """The ancestors of each record that has any, the top first. Two queries for any number of records."""
    starts = list(oids)
    if not starts:
        return {}
    sql = _ANCESTORS.format(places=", ".join(["%s"] * len(starts)), deepest=DEEPEST)
    with connection.cursor() as cursor:
        cursor.execute(sql, [environment, *starts, environment])
        pairs: list[tuple[str, int]] = cursor.fetchall()
    known = Organization.objects.in_bulk({identity for _, identity in pairs})
    lines: dict[str, list[Organization]] = {}
    for start, identity in pairs:
        lines.setdefault(start, []).append(known[identity])
    return lines


def path_of(organization: Organization) -> list[Organization]:
    """The ancestors of one record, the top first."""
    return ancestors_of(organization.environment, [organization.oid]).get(organization.oid, [])


def branch_ids(environment: str, oid: str) -> list[int]:
    """The ids of a record and of all that lies below it."""
    with connection.cursor() as cursor:
        cursor.execute(_BRANCH, [environment, oid, environment])
        return [row[0] for row in cursor.fetchall()]


def branch_of(environment: str, oid: str) -> OrganizationQuerySet:
    """A record and all that lies below it, as a queryset to filter further; one query for any number of records."""
    return Organization.objects.filter(pk__in=RawSQL(_BRANCH, [environment, oid, environment]))  # noqa: S611


def below_each(environment: str, oids: Iterable[str]) -> dict[str, Below]:
    """What lies below each of these records. One query for any number of them."""
    found = {oid: Below() for oid in oids}
    if not found:
        return found
    with_work = Organization.objects.filter(environment=environment).exclude(Exact(open_work_rule(), ""))
    counted = with_work.values("part_of_oid", key=open_work_rule()).annotate(number=Count("*")).order_by()
    work, values = counted.query.sql_with_params()
    with connection.cursor() as cursor:
        sql = _BELOW_EACH.format(work=work, places=", ".join(["%s"] * len(found)))
        cursor.execute(sql, [environment, environment, *values, environment, *found])
        for oid, key, number in cursor.fetchall():
            if key:
                found[oid].work[key] = int(number)
            else:
                found[oid].records = int(number)
    return found


def top_level(environment: str) -> OrganizationQuerySet:
    """The records whose parent is not ours: the gateway, or somebody else's."""
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_PARENTS, [environment, environment, environment])
        foreign = [row[0] for row in cursor.fetchall()]
    return Organization.objects.filter(environment=environment, part_of_oid__in=foreign)


def active_children_of(organization: Organization) -> OrganizationQuerySet:
    """Records below this one that are active in the directory as far as anything the portal knows says, or will be."""
    return _active_below(organization.environment, [organization.oid])


def active_branch_of(organization: Organization) -> list[int]:
    """The ids of all of these below a record, at any depth; one query a level."""
    found: dict[int, str] = {}
    level = [organization.oid]
    while level:
        below = _active_below(organization.environment, level).exclude(pk=organization.pk).values_list("pk", "oid")
        new = {identity: oid for identity, oid in below if identity not in found}
        found |= new
        level = list(new.values())
    return list(found)


def _active_below(environment: str, oids: list[str]) -> OrganizationQuerySet:
    """Active records one level below any of these.

    Below it by what Redox last accepted, by what a later reading shows, by what is wanted, or by a message that is on
    its way: each is an index of its own, so that one query finds them in a large directory. A record that was accepted
    as active counts until a message of ours deactivates it, one that was deactivated as soon as a reading shows it
    active.
    """
    here = Organization.objects.filter(environment=environment)
    on_its_way = Q(last_submission__state__in=OPEN_STATES)
    below = (
        here.filter(part_of_oid__in=oids)
        .values("pk")
        .union(
            here.filter(confirmed_part_of_oid__in=oids).values("pk"),
            here.filter(shown_part_of_oid__in=oids).values("pk"),
            here.filter(
                on_its_way,
                last_submission__environment=environment,
                last_submission__part_of_oid__in=oids,
            ).values("pk"),
        )
    )
    may_be_there = Q(presence__in=(Presence.PRESENT, Presence.UNKNOWN))
    is_active = may_be_there & (~Q(confirmed_active=False) | Q(shown_active=True))
    # While a message is on its way, the wanted Active is the one that it carries.
    return here.filter(is_active | (on_its_way & Q(active=True)), pk__in=below)


def would_circle(environment: str, oid: str, part_of_oid: str) -> bool:
    """Whether `oid` becoming part of `part_of_oid` makes a circle: the new parent is the record or lies below it."""
    if oid == part_of_oid:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM organizations_organization WHERE environment = %s AND oid = %s AND id IN ({_BRANCH})",  # noqa: S608
            [environment, part_of_oid, environment, oid, environment],
        )
        return cursor.fetchone() is not None


def in_circles(environment: str, oids: Iterable[str]) -> set[str]:
    """Which of these records lie below themselves by the PartOf that is wanted. One query for any number of them."""
    starts = list(oids)
    if not starts:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _BELOW_THEMSELVES.format(places=", ".join(["%s"] * len(starts))), [environment, *starts, environment]
        )
        return {row[0] for row in cursor.fetchall()}


def would_circle_in_directory(environment: str, oid: str, part_of_oid: str) -> bool:
    """As `would_circle`, of what the directory has or will have, whatever is wanted here."""
    return oid in _above_in_the_directory(environment, part_of_oid)


def shown_on_the_circle(environment: str, oid: str, part_of_oid: str) -> Organization | None:
    """The record whose PartOf by a later reading makes such a circle; None if it is one without any reading."""
    if oid in _above_in_the_directory(environment, part_of_oid, with_readings=False):
        return None
    above = _above_in_the_directory(environment, part_of_oid)
    shown = Organization.objects.filter(environment=environment, oid__in=above).exclude(shown_part_of_oid="")
    return next((each for each in shown if would_circle_in_directory(environment, oid, each.shown_part_of_oid)), None)


def _above_in_the_directory(environment: str, oid: str, *, with_readings: bool = True) -> set[str]:
    ways = "SELECT 0 AS way UNION ALL SELECT 1" + (" UNION ALL SELECT 2" if with_readings else "")
    sql = _ABOVE_IN_THE_DIRECTORY.format(ways=ways, places=", ".join(["%s"] * len(OPEN_STATES)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [oid, environment, *OPEN_STATES])
        return {row[0] for row in cursor.fetchall()}
