"""Limits how often somebody may try a secret. A try is counted before the check, and no longer counts if the secret was
right.

One statement reserves a try, so concurrent tries cannot exceed the limit. No key is the user name alone, so that a
stranger cannot lock somebody out.
"""

import datetime
import json
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from organizations.models import Throttle, User, clock

PERIOD = datetime.timedelta(minutes=15)
MOST_TRIES = 5
MOST_TRIES_OF_A_NETWORK = 50
MOST_DELETED = 1000

# The update skips a row that has reached its limit: then no row is returned and its count does not grow.
_RESERVE = """
    INSERT INTO {table} AS tries (key, count, until) VALUES (%s, 1, %s)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN tries.until <= %s THEN 1 ELSE tries.count + 1 END,
        until = CASE WHEN tries.until <= %s THEN excluded.until ELSE tries.until END
    WHERE tries.until <= %s OR tries.count < %s
    RETURNING until
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A key and its number of tries in a period."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Try:
    """A reserved try: the limits that it counts against, each with the end of its period."""

    reserved: tuple[tuple[Limit, datetime.datetime], ...]


class TooManyTries(Exception):
    """A limit is reached until `until`. `is_of_network`: it is the shared limit of a network."""

    def __init__(self, until: datetime.datetime, *, is_of_network: bool) -> None:
        super().__init__(f"No more tries until {until}")
        self.until = until
        self.is_of_network = is_of_network


def sign_in_limits(username: str, address: str) -> tuple[Limit, Limit]:
    """The limits of a sign-in: for this name from this address, and for the network of the address."""
    name = unicodedata.normalize("NFKC", username).casefold()
    return (
        Limit(hashed_key("name", name, visitor_network(address)), MOST_TRIES),
        Limit(hashed_key("block", shared_network(address)), MOST_TRIES_OF_A_NETWORK),
    )


def password_limit(user: User) -> Limit:
    """The limit for an account that must give its own password again."""
    return Limit(hashed_key("account", str(user.pk)), MOST_TRIES)


def reserve_try(*limits: Limit) -> Try:
    """Reserve a try against each limit, before the secret is checked.

    Raises:
        TooManyTries: a limit is reached; the try counts against none.
    """
    reserved: list[tuple[Limit, datetime.datetime]] = []
    for limit in limits:
        until = _reserve(limit)
        if until is None:
            give_back_try(Try(tuple(reserved)))
            raise TooManyTries(_end_of_period(limit), is_of_network=limit != limits[0])
        reserved.append((limit, until))
    return Try(tuple(reserved))


def record_success(attempt: Try) -> None:
    """The secret was right: reset the first limit, that of the person, and give this try back to the others."""
    limit, _ = attempt.reserved[0]
    Throttle.objects.filter(pk=limit.key).delete()
    give_back_try(Try(attempt.reserved[1:]))


def give_back_try(attempt: Try) -> None:
    for limit, until in attempt.reserved:
        Throttle.objects.filter(pk=limit.key, until=until, count__gt=0).update(count=F("count") - 1)


def delete_ended() -> int:
    """Delete a bounded number of rows whose period has ended. Returns how many."""
    ended = Throttle.objects.filter(until__lte=clock.now())
    keys = list(ended.order_by("until").values_list("pk", flat=True)[:MOST_DELETED])
    # A row whose next period has begun since stays.
    return ended.filter(pk__in=keys).delete()[0]


def hashed_key(kind: str, *parts: str) -> str:
    """A keyed hash: without the portal's secret nobody can get the name or the address from it."""
    return salted_hmac(f"orgportal.{kind}", json.dumps(parts), algorithm="sha256").hexdigest()


def visitor_network(address: str) -> str:
    """The addresses of one visitor: an IPv4 address, or the /64 in which an IPv6 subscriber can use any address."""
    ip = _ip(address)
    return str(ip) if isinstance(ip, IPv4Address) else shared_network(address)


def shared_network(address: str) -> str:
    """The /24 or /64 network of an address. All unreadable addresses are one network."""
    ip = _ip(address)
    if ip is None:
        return "unreadable"
    network = IPv4Network((int(ip), 24), False) if isinstance(ip, IPv4Address) else IPv6Network((int(ip), 64), False)
    return str(network)


def _ip(address: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def _reserve(limit: Limit) -> datetime.datetime | None:
    now = clock.now()
    begins, ends = (connection.ops.adapt_datetimefield_value(each) for each in (now, now + PERIOD))
    with connection.cursor() as cursor:
        cursor.execute(
            _RESERVE.format(table=connection.ops.quote_name(Throttle._meta.db_table)),
            [limit.key, ends, begins, begins, begins, limit.most],
        )
        row = cursor.fetchone()
    return None if row is None else _time(row[0])


def _time(value: datetime.datetime | str) -> datetime.datetime:
    """A time from a raw query. SQLite stores it in UTC without a zone."""
    moment = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _end_of_period(limit: Limit) -> datetime.datetime:
    until = Throttle.objects.filter(pk=limit.key).values_list("until", flat=True).first()
    return until or clock.now()
