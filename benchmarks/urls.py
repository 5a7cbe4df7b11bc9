"""The portal's URLs and two slow pages."""

import time

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

import orgportal.urls
from organizations.models import EnvironmentGate


def _slow(_request: HttpRequest) -> HttpResponse:
    time.sleep(15)
    return HttpResponse("slow")


def _locked(_request: HttpRequest) -> HttpResponse:
    """Waits for whoever holds the row (PostgreSQL) or the whole database (SQLite)."""
    EnvironmentGate.objects.filter(pk="staging").update(checked_by=F("checked_by"))
    return HttpResponse("done")


urlpatterns = [
    path("slow/", _slow),
    path("locked/", _locked),
    path("", include("orgportal.urls")),
]

handler400, handler500 = orgportal.urls.handler400, orgportal.urls.handler500
