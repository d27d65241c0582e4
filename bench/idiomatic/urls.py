"""Routes. Only the home page is there; the others lend it the addresses it links to."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import path

from bench.idiomatic.views import home

LINKED = ("campaign", "home-live", "links", "titles", "points", "ranking")

urlpatterns = i18n_patterns(
    path("me", home, name="me"),
    path("sign-out", home, name="sign-out"),
    path("mailbox", home, name="mailbox"),
    path("<slug:slug>/home", home, name="home"),
    *(path(f"<slug:slug>/{name}", home, name=name) for name in LINKED),
)
