"""The root of all addresses; the portal's own are in `organizations/urls.py`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("organizations.urls")),
]
