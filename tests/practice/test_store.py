"""The file of the practice directory, without HTTP."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from organizations.practice.filters import Filters
from organizations.practice.store import FILE_NAME, Store
from tests.practice.helpers import OID, organization

# The table as the first release created it.
FIRST_TABLE = """
CREATE TABLE organization (
    environment TEXT NOT NULL, oid TEXT NOT NULL, oid_key TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (environment, oid)
)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as opened:
        yield opened


def test_a_file_of_an_earlier_release_can_be_opened_and_its_records_count_as_never_changed(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(FIRST_TABLE)
        values = ("staging", OID, "key", json.dumps(organization()))
        connection.execute("INSERT INTO organization VALUES (?, ?, ?, ?)", values)
    for _ in range(2):
        with closing(Store(tmp_path)) as store:
            assert store.find("staging") == [organization()]
            assert store.search("staging", Filters(changed_since=1.0)) == []
    with closing(Store(tmp_path)) as store:
        started = time.time()
        assert store.replace("staging", OID, organization(Name="Changed"), "sha256") == 1
        assert store.search("staging", Filters(changed_since=started)) == [organization(Name="Changed")]


def test_two_open_stores_of_one_file_see_each_others_writes(store: Store, tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as other:
        store.put("staging", OID, organization())
        assert other.find("staging", oid=OID) == [organization()]
        other.remove("staging", OID)
    assert store.find("staging") == []
