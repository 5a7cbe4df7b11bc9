"""Limits of request bodies at every address: size, number of values, and files."""

import io
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from organizations.forms.typed import Typed
from organizations.records import MOST_ROWS, ContactRecord, IdentifierRecord
from tests import factories
from tests.hostile.typed import URL_ENCODED, query

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

UNKNOWN, SIGN_IN, TAKE_OVER = "/no/such/page/", "/sign-in/", "/staging/directory/take-over/"
MULTIPART = "multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="x.csv"\r\n\r\n'


class Endless(io.RawIOBase):
    """A body without end, which counts the bytes that are read."""

    read_bytes = 0

    def __init__(self, start: bytes) -> None:
        super().__init__()
        self.start = start

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        part = (self.start + b"x" * size)[:size] if self.read_bytes == 0 else b"x" * size
        self.read_bytes += size
        return part


def send(address: str, kind: str, body: Endless, length: str) -> tuple[int, str]:
    """The response to a body with this Content-Length, which is generated only as it is read."""
    head: Any = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": length, "wsgi.input": body}
    answer: Any = Client().generic("POST", address, **head)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("kind", [URL_ENCODED, MULTIPART, "text/plain"])
@pytest.mark.parametrize("address", [UNKNOWN, SIGN_IN])
@pytest.mark.parametrize("length", [str(settings.MOST_BYTES_IN_A_REQUEST + 1), "9" * 5_000])
def test_a_body_that_is_too_large_is_refused_before_any_of_it_is_read(address, kind, length):
    body = Endless(FILE)
    status, page = send(address, kind, body, length)
    assert (status, body.read_bytes) == (400, 0)
    assert "At most 1,000 kB can be sent at once." in page
    assert "choose fewer or smaller files" not in page


@pytest.mark.parametrize("kind", [URL_ENCODED, MULTIPART])
def test_the_page_that_takes_files_takes_more_but_not_everything(kind):
    """The limit holds before the sign-in, and before the form's token is read."""
    body = Endless(FILE)
    status, page = send(TAKE_OVER, kind, body, str(settings.MOST_BYTES_WITH_FILES + 1))
    assert (status, body.read_bytes) == (400, 0)
    assert "At most 6,000 kB can be sent at once." in page
    assert "Go back and choose fewer or smaller files: at most 5 MB together." in page
    assert f'href="{TAKE_OVER}"' in page


def test_the_page_that_takes_files_reads_a_limited_number(client):
    files = [SimpleUploadedFile(f"{number}.json", b"{}") for number in range(settings.MOST_FILES_READ + 1)]
    assert client.post(TAKE_OVER, {"message_files": files}).status_code == 400
    answer = client.post(TAKE_OVER, {"message_files": files[:-1], "oids": ""})
    assert answer.status_code in (403, 422)
    assert client.post(SIGN_IN, {"message_files": files[:1]}).status_code == 400


@pytest.mark.parametrize("address", [UNKNOWN, SIGN_IN])
def test_a_file_is_refused_at_its_start(address):
    body = Endless(FILE)
    status, page = send(address, MULTIPART, body, str(settings.MOST_BYTES_IN_A_REQUEST))
    assert status == 400
    assert "files can be sent at once, and only from the page that takes over organizations" in page
    assert body.read_bytes < 200_000


@pytest.mark.parametrize("address", [UNKNOWN, SIGN_IN])
def test_too_many_values_are_refused_in_the_body_and_in_the_address(address):
    many = "&".join(f"a{number}=1" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    for answer in (Client().post(address, many, content_type=URL_ENCODED), Client().get(address, QUERY_STRING=many)):
        assert answer.status_code == 400
        assert "At most 1,000 values can be sent at once." in answer.content.decode()


def test_a_body_that_cannot_be_read_is_refused_at_an_unknown_address():
    head = b'--x\r\nContent-Disposition: form-data; name="' + b"x" * 5_000 + b'"\r\n\r\nx\r\n--x--'
    assert Client().post(UNKNOWN, head, content_type=MULTIPART).status_code == 400


def test_the_largest_valid_form_can_be_sent():
    """Every field of every line has its maximum length, in the letters that need the most bytes."""
    wide = "\U0001f3e5"
    contact = ContactRecord(
        purpose=wide * 100,
        name=wide * 200,
        email_addresses=("a" * 2_000,),
        work_phone="+1" * 30,
        mobile_phone="+1" * 30,
        home_phone="+1" * 30,
    )
    identifier = IdentifierRecord(kind=wide * 60, value=wide * 200)
    address = replace(factories.record().address, **dict.fromkeys(("street", "city", "county"), wide * 200))
    record = factories.record(
        name=wide * 200,
        aliases=(wide * 2_000,),
        contacts=(contact,) * MOST_ROWS,
        identifiers=(identifier,) * MOST_ROWS,
        address=address,
    )
    inputs = Typed.from_record(record, stands_for="", parent_kind="gateway").as_post()
    assert len(inputs) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS / 2
    assert len(query(inputs)) < settings.MOST_BYTES_IN_A_REQUEST / 2
    assert Client().post(reverse("sign-in"), query(inputs), content_type=URL_ENCODED).status_code == 422
