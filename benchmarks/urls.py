"""The portal's addresses, and beside them the stock admin over the same rows, as a yardstick."""

from django.contrib.admin import AdminSite, ModelAdmin
from django.urls import include, path

from organizations.models import AuditEntry, Organization
from organizations.presentation.rows import ROWS_A_PAGE


class _OrganizationAdmin(ModelAdmin):
    """The columns of the portal's list, as far as the admin has them without code of its own."""

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

urlpatterns = [path("stock-admin/", stock.urls), path("", include("orgportal.urls"))]

handler500 = "organizations.views.faults.server_fault"
