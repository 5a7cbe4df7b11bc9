"""The root of all addresses; the portal's own are in `organizations/urls.py`."""

from django.urls import include, path

urlpatterns = [path("", include("organizations.urls"))]

handler400 = "organizations.views.errors.unreadable"
handler500 = "organizations.views.errors.server_error"
