"""Pages for what went wrong."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from organizations.pages import help as help_page


@pytest.fixture
def broken(client_of, monkeypatch):
    """A client whose next page raises a given fault."""

    def broken_by(fault: Exception) -> Client:
        def raises() -> None:
            raise fault

        monkeypatch.setattr(help_page, "_families", raises)
        client = client_of("viewer")
        client.raise_request_exception = False
        return client

    return broken_by


def test_a_fault_of_the_portal_shows_the_number_of_the_request(broken):
    answer = broken(RuntimeError("secret words")).get("/help/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong here, not at Redox." in page
    assert "Nothing was sent by this page. Number" in page
    assert answer["X-Request-ID"] in page
    assert "secret words" not in page


@pytest.mark.parametrize("fault", [OperationalError("gone"), InterfaceError("closed")])
def test_a_database_that_is_gone_is_said(broken, fault):
    answer = broken(fault).get("/help/")
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 503
    assert "The portal cannot reach its database." in page
    assert "Try again in a minute; nothing was sent by this page." in page


def test_an_address_that_is_none_of_ours_is_said(client_of):
    answer = client_of("viewer").get("/no/such/page/")
    assert answer.status_code == 404
    assert "The portal has no page of this address." in answer.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_wrong_method_gets_a_page(client_of, method):
    answer = getattr(client_of("viewer"), method)("/help/")
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert int(answer["Content-Length"]) == len(answer.content)
    assert "This address does not take that." in answer.content.decode()


def test_a_request_that_cannot_be_read_gets_a_page(client_of, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    answer = client_of("viewer").post("/sign-in/", {"a": "1", "b": "2", "c": "3"})
    assert answer.status_code == 400
    assert "This request could not be read." in answer.content.decode()


@pytest.mark.parametrize(
    "address", ["/%00", "/staging/organizations/%FF/", "/audit/9" + "9" * 400 + "/", "/staging/'/"]
)
def test_hostile_addresses_are_not_found(client_of, address):
    assert client_of("viewer").get(address).status_code == 404
