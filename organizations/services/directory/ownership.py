"""Stub until merged."""

from collections.abc import Collection, Mapping


def is_ours(
    oid: str,
    part_of_oid: str,
    *,
    base_oids: Collection[str],
    ours: Collection[str],
    part_of: Mapping[str, str],
    gateways: Collection[str],
) -> bool:
    seen = set()
    while oid not in gateways and oid not in seen:
        if oid in ours or any(oid == base or oid.startswith(base + ".") for base in base_oids):
            return True
        seen.add(oid)
        oid = part_of_oid if not seen - {oid} else part_of.get(oid, "")
    return False
