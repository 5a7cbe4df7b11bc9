"""The list of submissions over HTTP."""

from collections.abc import Callable

from django.test import Client

from organizations.models import Submission
from tests.views.sending import submission_url

type ClientOf = Callable[..., Client]


def test_a_viewer_reads_the_list_with_a_link_to_each_submission(client_of: ClientOf, queued: Submission) -> None:
    response = client_of("viewer").get("/staging/submissions/?state=queued")
    markup = response.content.decode()
    assert response.status_code == 200
    assert "<title>Submissions | STAGING | orgportal</title>" in markup
    assert f'href="{submission_url(queued)}"' in markup
    assert f'data-copy="{queued.oid}" aria-label="Copy the OID of Lakeside 1"' in markup
