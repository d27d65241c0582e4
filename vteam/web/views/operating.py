"""The operators' page: what reaches them, whether our mail is let in, and the outbox in numbers.

GET asks nobody but the database. What the domain name system says is asked for by a button, since it may take ten
seconds: with a script the answer comes into the page, without one it is the whole page again.
"""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.models import Organiser
from vteam.channels.mail.findings import Finding, State
from vteam.channels.mail.ours import check_ours, missing_settings, our_domain
from vteam.channels.mail.queries import outbox_figures
from vteam.errors import SettingsError
from vteam.web.answers import for_operators, private_render
from vteam.web.reaching import shown_to

# What is wrong first, what is fine last, each in the order it was looked at.
URGENCY = (State.WRONG, State.MISSING, State.UNKNOWN, State.FINE)


@for_operators
@require_safe
def home(request: HttpRequest, operator: Organiser) -> HttpResponseBase:
    """Everything there is for an operator."""
    return _page(request, operator, {})


@for_operators
@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: HttpRequest, operator: Organiser) -> HttpResponseBase:
    """POST asks what receivers will ask about our mail; with htmx the answer alone. GET asks nothing: it leads back."""
    if request.method != "POST":
        return redirect("operator")
    try:
        found = sorted(check_ours(), key=lambda one: URGENCY.index(one.state))
        checked: dict[str, object] = {
            "found": _each_record_once(found),
            "to_do": sum(one.state in (State.WRONG, State.MISSING) for one in found),
            "unknown": sum(one.state is State.UNKNOWN for one in found),
        }
    except SettingsError as error:
        checked = {"cannot_ask": error}
    if getattr(request, "htmx", None):
        return private_render(request, "parts/mail_found.html", checked)
    return _page(request, operator, checked)


def _each_record_once(found: Sequence[Finding]) -> list[tuple[Finding, bool]]:
    """Each finding, and whether one before it has the same record to set: two mistakes in one are mended by one."""
    records = [one.record for one in found]
    return [(one, one.record is not None and one.record in records[:at]) for at, one in enumerate(found)]


def _page(request: HttpRequest, operator: Organiser, checked: dict[str, object]) -> HttpResponse:
    assert operator.person is not None, "an operator has come"
    context = {
        "operator": operator,
        "back": reverse("operator"),
        "domain": our_domain(),
        "lacking": missing_settings(),
        "outbox": outbox_figures(at=clock.now()),
        **shown_to(operator.person, None),
        **checked,
    }
    return private_render(request, "operator.html", context)
