"""People and roles in the Django admin, and nothing else. Every save goes through the service for people."""

from functools import update_wrapper
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin, display
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from organizations import permissions
from organizations.forms.account import AccountForm, PersonForm
from organizations.models import User
from organizations.permissions import Right
from organizations.services import people, signing_in
from organizations.services.faults import NotDone
from organizations.templatetags.portal import given_by, moment

LONGEST_SEARCH = 200
MOST_WORDS = 10


class PeopleSite(AdminSite):
    """Open to who manages people. Signing in and out and one's own password are the portal's own pages."""

    site_title = site_header = "orgportal"
    index_title = "People and roles"
    index_template = "admin/people.html"
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Both tables under one heading; Django's word for roles is groups."""
        found = super().get_app_list(request, app_label)
        for app in found:
            app["name"] = self.index_title
            for model in app["models"]:
                model["name"] = "Roles" if model["object_name"] == "Group" else "People"
        return found

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and permissions.manages_people(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_permission(request):
                raise PermissionDenied(people.refused(request, Right.MANAGE_PEOPLE))
            return inner(request, *args, **kwargs)

        return update_wrapper(guarded, inner)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect_to_login(request.GET.get("next", reverse("admin:index")), reverse("sign-in"))

    @method_decorator(require_POST)
    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        signing_in.sign_out(request)
        return redirect("sign-in")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account")


class PeopleAdmin(ModelAdmin):
    """What both tables share: who may open the site may see them; nothing is deleted, and the one history is ours."""

    actions = None
    list_title: str

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": self.list_title, **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # The lists have no filters. Django would take any lookup from the address, also those that fail or never end.
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(
            request, queryset, " ".join(search_term[:LONGEST_SEARCH].split()[:MOST_WORDS])
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(reverse("audit", query={"what": "people"}))


class PersonAdmin(PeopleAdmin):
    form = PersonForm
    list_title = "People"
    list_display = ("username", "first_name", "last_name", "roles_given", "is_active", "signed_in")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)

    @display(description="Roles, and who gave them")
    def roles_given(self, user: User) -> str:
        return (
            format_html_join(mark_safe("<br>"), "{}: {}", ((r, given_by(by)) for r, by in user.roles_given())) or "none"
        )

    @display(description="Last sign-in", ordering="last_login")
    def signed_in(self, user: User) -> str:
        return moment(user.last_login, focus=False)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups", "role_grants")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Nobody gives themselves a role, or locks themselves out. User names stay as they are in the history."""
        if obj is None:
            return ()
        own = ("is_active", "groups") if obj.pk == request.user.pk else ()
        return ("username", *own, "roles_given")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The user name first, also where it is only shown."""
        return sorted(super().get_fields(request, obj), key=lambda name: name != "username")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """One's own password is changed on one's own page, and nobody else sets that of who made the portal."""
        if obj is not None and (obj.is_superuser or obj.pk == request.user.pk):
            kwargs["form"] = AccountForm
        return super().get_form(request, obj, change, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Without the transaction of the admin around it: the service opens its own, with the entry in the history.
        object_id = kwargs.get("object_id", args[0] if args else None)
        form_url, extra = kwargs.get("form_url", ""), kwargs.get("extra_context")
        try:
            return self._changeform_view(request, object_id, form_url, extra)  # type: ignore[attr-defined]
        except NotDone as fault:  # what the form allowed and another person's act has changed meanwhile
            messages.error(request, str(fault))
            return redirect(request.path)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: account and roles are saved together."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        user, filled = form.instance, form.cleaned_data
        groups = list(filled["groups"]) if "groups" in filled else None
        password = filled.get("password1") or None
        changed = [name for name in form.changed_data if not name.startswith("password")]
        what = ", ".join([*changed, *(["password"] if password else [])]) if change else "account made"
        actor = people.actor_of(request)
        opened_with = filled["opened_with"] if change else None
        people.save(
            user, groups=groups, password=password, opened_with=opened_with, what=what or "nothing", actor=actor
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service wrote the entry."""

    log_change = log_addition


class RoleAdmin(PeopleAdmin):
    """The roles and their rights, to read: they are part of the portal."""

    fields = ("name", "permissions")
    list_title = "Roles"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        return super().change_view(request, object_id, form_url, {"title": "Role", **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


site = PeopleSite(name="admin")
site.register(User, PersonAdmin)
site.register(Group, RoleAdmin)
