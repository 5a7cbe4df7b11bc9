"""The control that selects how the stand-in for Redox behaves."""

import pytest

from organizations.services import demonstration


def test_the_choice_is_stored_and_the_page_is_shown_again(demo, client_of):
    client = client_of("viewer")
    answer = client.post("/demonstration/", {"behaviour": "never-answers", "next": "/help/#words"})
    assert (answer.status_code, answer["Location"]) == (302, "/help/#words")
    assert demonstration.behaviour() == "never-answers"
    page = client.get("/help/").content.decode()
    assert "Redox now: Takes the message and never answers." in page
    assert '<option value="never-answers" selected>' in page


def test_it_never_redirects_to_another_site(demo, client_of):
    answer = client_of("viewer").post("/demonstration/", {"behaviour": "slow", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("word", ["", "no-such", "\x00", "../../etc/passwd", "a" * 10_000])
def test_an_unknown_behaviour_is_refused(demo, client_of, word):
    assert client_of("viewer").post("/demonstration/", {"behaviour": word}).status_code == 400
    assert demonstration.behaviour() == "answers"


def test_outside_the_demonstration_the_address_does_not_exist(client_of):
    client = client_of("administrator")
    assert client.post("/demonstration/", {"behaviour": "slow"}).status_code == 403
    assert "Redox now:" not in client.get("/help/").content.decode()
