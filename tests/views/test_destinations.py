"""What is no destination of ours: the IDs by which Redox and the portal know each other."""

import pytest
from django.urls import reverse

from tests import factories
from tests.connected import redox
from tests.views.typing import posted

NEW = reverse("organization-new", args=["staging"])
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"
ROUTING = "This is the routing ID '{}' of Redox's table."
REPOSITORY = "Save patient details and documents to your repository"


@pytest.mark.parametrize(
    ("variable", "is_set", "sentence"),
    [
        ("REDOX_STAGING_SOURCE_ID", DESTINATION, "This is our source ID, not a destination."),
        ("REDOX_PRODUCTION_SOURCE_ID", DESTINATION, "This is our source ID, not a destination."),
        ("REDOX_PRODUCTION_CLIENT_ID", DESTINATION.upper(), "This is our client ID, not a destination."),
        ("REDOX_STAGING_CLIENT_ID", DESTINATION.replace("-", ""), "This is our client ID, not a destination."),
        ("REDOX_STAGING_DOCUMENT_REPOSITORY_ID", DESTINATION, ROUTING.format(f"{REPOSITORY}, STAGING")),
        ("REDOX_PRODUCTION_DOCUMENT_REPOSITORY_ID", DESTINATION.upper(), ROUTING.format(f"{REPOSITORY}, PRODUCTION")),
        (
            "REDOX_PRODUCTION_ROUTING_ID",
            DESTINATION.replace("-", ""),
            ROUTING.format("Query for/create/update/delete an organization, PRODUCTION"),
        ),
    ],
)
def test_no_id_of_our_own_in_either_environment_is_a_destination(client_of, settings, variable, is_set, sentence):
    # Also of an environment that is not connected for a fault of another kind.
    settings.REDOX = redox("ftp://127.0.0.1:9", **{variable: is_set})
    response = client_of("editor").post(NEW, posted(factories.record(), destination_id=DESTINATION.upper()))
    (problem,) = response.context["form"].main.errors["destination_id"]
    assert problem.startswith(sentence)
