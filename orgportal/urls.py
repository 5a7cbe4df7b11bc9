"""The root URL configuration. The addresses of the portal are in `organizations/urls.py`."""

from django.urls import include, path

urlpatterns = [path("", include("organizations.urls"))]

handler400 = "organizations.views.errors.unreadable"
handler500 = "organizations.views.errors.server_error"
