"""The error pages."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from organizations.pages import help as help_page
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database


@pytest.fixture
def raising_client(client_of, monkeypatch):
    """Return a function that makes a client for which the help page raises this exception."""

    def client_raising(exception: Exception) -> Client:
        def raise_fault() -> None:
            raise exception

        monkeypatch.setattr(help_page, "build", raise_fault)
        client = client_of("viewer")
        client.raise_request_exception = False
        return client

    return client_raising


def test_a_server_error_shows_the_request_id(raising_client):
    answer = raising_client(RuntimeError("secret words")).get("/help/")
    text = text_of(answer)
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in text
    assert "secret words" not in text


@pytest.mark.parametrize("exception", [OperationalError("gone"), InterfaceError("closed")])
def test_an_unreachable_database_is_explained(raising_client, exception):
    answer = raising_client(exception).get("/help/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "The portal cannot reach its database." in text_of(answer)


@pytest.mark.parametrize("address", ["/no/such/page/", "/%00"])
def test_an_unknown_address_gets_an_error_page(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "The portal has no page at this address." in text_of(answer)


def test_a_method_that_is_not_allowed_gets_an_error_page(client):
    answer = client.post("/help/")
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert int(answer["Content-Length"]) == len(answer.content)
    assert "This address does not accept this kind of request." in text_of(answer)


def test_a_request_with_too_many_fields_gets_a_page_that_names_the_limit(client, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    answer = client.post("/sign-in/", {"a": "1", "b": "2", "c": "3"})
    assert answer.status_code == 400
    assert "At most 2 values" in text_of(answer)
