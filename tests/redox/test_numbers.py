"""Values of the directory that are sent back: numbers in them do not change."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.records import OrganizationRecord, canonical_json
from organizations.redox import numbers
from organizations.redox.client import is_meant_for
from organizations.redox.environment import ORGANIZATION_ROUTING, RedoxEnvironment
from organizations.redox.messages import annotated_lines, build_message, read_query_answer, record_from_message

STAGING = RedoxEnvironment(name="staging", routing_id=ORGANIZATION_ROUTING["staging"])
ANSWER = """{"Meta": {"DataModel": "Organization", "EventType": "QueryResponse"}, "Organizations": [{"Active": true,
"Name": "Lakeside Clinics", "Identifiers": [{"ID": "1.2.3", "IDType": "OID"}], "Endpoints": %s}]}"""
LITERALS = ("0", "-0", "443", "1.0", "1.50", "1E5", "1e400", "9" * 5_000, "true", "false", '"1.0"', '"443"')


@pytest.mark.parametrize("literal", LITERALS, ids=lambda literal: literal[:8])
def test_carried_values_are_sent_back_unchanged(literal):
    """If the portal sent a number as text, the directory would get another record than the one that it showed."""
    endpoints = f'[{{"Extensions":[{literal},[{literal},true]],"Port":{literal}}}]'
    seen = read_query_answer((ANSWER % endpoints).encode(), "1.2.3")
    assert seen is not None
    assert seen.carried == (("Endpoints", endpoints),)
    known = replace(seen, destination_known=True)
    content = build_message(known, "Update", STAGING)
    assert f'"Port": {literal}\n'.encode() in content
    assert record_from_message(content) == known
    assert "\n".join(line.text for line in annotated_lines(content)).encode() == content
    assert is_meant_for(content, STAGING)


def test_a_carried_value_that_is_not_json_is_never_sent():
    record = OrganizationRecord(oid="1.2.3", name="Lakeside Clinics", carried=(("Endpoints", '[{"Port":NaN}]'),))
    with pytest.raises(ValueError, match="NaN is not a JSON number"):
        build_message(record, "Update", STAGING)


def _nested(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _nested, max_leaves=10))
def test_values_are_written_as_the_standard_library_writes_them(value):
    assert numbers.indented_json(value) == json.dumps(value, indent=2, ensure_ascii=False)
    assert numbers.compact_json(value) == canonical_json(value)
