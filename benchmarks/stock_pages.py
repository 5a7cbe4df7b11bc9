"""Measures Django's stock admin in a separate process, without any part of the portal but its models.

`page_figures.py` starts it with `benchmarks.stock_settings`. It prints JSON: the session's cookie, and the cost of each
page.
"""

import json
import sys

import django

PAGES = {
    "Stock admin, first page": "organization/?environment__exact=staging",
    "Stock admin, state of the submission": (
        "organization/?environment__exact=staging&last_submission__state__exact=rejected"
    ),
    "Stock admin, part of a name": "organization/?environment__exact=staging&q=north+clin",
    "Stock admin, entries": "auditentry/",
}
BASE = "/admin/organizations/"


def main() -> None:
    rounds = int(sys.argv[1])
    django.setup()

    from django.conf import settings  # noqa: PLC0415 - models can be imported from here on
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from benchmarks.page_costs import cost_of  # noqa: PLC0415

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model()._default_manager.get(username="measuring"))
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    costs = {title: cost_of(client, BASE + path, {}, rounds) for title, path in PAGES.items()}
    print(json.dumps({"cookie": cookie, "costs": costs}))


if __name__ == "__main__":
    main()
