"""Django's own admin over the portal's rows, and nothing else."""

from django.contrib.admin import ModelAdmin, site
from django.http import HttpRequest, HttpResponse
from django.urls import path

from organizations.models import AuditEntry, Organization
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


site.register(Organization, _OrganizationAdmin)
site.register(AuditEntry, _AuditEntryAdmin)


def _ready(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ready")


urlpatterns = [path("admin/", site.urls), path("health/ready", _ready)]
