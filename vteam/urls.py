"""Every route on one screen."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path


def healthz(request: HttpRequest) -> HttpResponse:
    """The site answers."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns: list[URLPattern] = [path("healthz", healthz)]
