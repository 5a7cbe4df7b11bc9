"""The portal's URLs, the stock admin over the same rows for comparison, and two slow pages."""

import time

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

import orgportal.urls
from organizations.models import AuditEntry, EnvironmentGate, Organization
from organizations.queries.record_rows import ROWS_A_PAGE


class _OrganizationAdmin(ModelAdmin):
    """The columns of the portal's list that the admin has without extra code."""

    list_display = (
        "name",
        "oid",
        "part_of_oid",
        "stands_for",
        "presence",
        "presence_basis",
        "confirmed_active",
        "changes",
        "confirmed_at",
        "staging_record",
    )
    list_filter = ("environment", "presence", "last_submission__state")
    list_select_related = ("staging_record",)
    list_per_page = ROWS_A_PAGE
    ordering = ("oid_key",)
    search_fields = ("search_text",)


class _AuditEntryAdmin(ModelAdmin):
    list_display = ("sequence", "at", "actor_name", "action", "environment", "oid", "http_status", "outcome")
    list_filter = ("outcome",)
    list_per_page = ROWS_A_PAGE
    ordering = ("-sequence",)


stock = AdminSite(name="stock")
stock.register(Organization, _OrganizationAdmin)
stock.register(AuditEntry, _AuditEntryAdmin)


def _slow(_request: HttpRequest) -> HttpResponse:
    time.sleep(15)
    return HttpResponse("slow")


def _locked(_request: HttpRequest) -> HttpResponse:
    """Waits for whoever holds the row (PostgreSQL) or the whole database (SQLite)."""
    EnvironmentGate.objects.filter(pk="staging").update(checked_by=F("checked_by"))
    return HttpResponse("done")


urlpatterns = [
    path("stock-admin/", stock.urls),
    path("slow/", _slow),
    path("locked/", _locked),
    path("", include("orgportal.urls")),
]

handler400, handler500 = orgportal.urls.handler400, orgportal.urls.handler500
