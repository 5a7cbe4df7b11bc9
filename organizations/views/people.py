"""Who has an account, with which roles and from whom: for everybody who is signed in. They are changed in the admin."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from organizations import permissions, words
from organizations.models import User
from organizations.permissions import ACTS, ROLES, Right
from organizations.views import access


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    people = list(User.objects.order_by("username").prefetch_related("groups", "role_grants"))
    active, closed = ([person for person in people if person.is_active is wanted] for wanted in (True, False))
    context = {
        "active": active,
        "closed": closed,
        "closed_words": words.count(len(closed), "closed account"),
        "manages": permissions.manages_people(access.user_of(request)),
        "roles": [
            (role, "; ".join(ACTS[right] for right in Right if right in rights)) for role, rights in ROLES.items()
        ],
    }
    return render(request, "people/page.html", context)
