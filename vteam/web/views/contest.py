"""An organiser's pages for the contest itself: its prizes, what its rules say besides, and the file both stand in.

GET shows, POST keeps a new version of the campaign, whole or not at all. What was typed comes back with every answer
that does not keep it; who was overtaken by somebody else is told before anything is written over.
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.editing import edit_campaign, key_for, read_tables
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign, CampaignVersion, Organiser, read_file
from vteam.campaigns.writing import Tables, tables_of, toml_of
from vteam.errors import CampaignFileError, Promised
from vteam.prizes.keeping import promises, refuse_changes
from vteam.prizes.queries import prize_of
from vteam.web.answers import attachment, campaign_or_404, for_organisers, private_render
from vteam.web.contest_forms import (
    EXPLANATION_LENGTH,
    MORE_LENGTH,
    NAME_LENGTH,
    RulesForm,
    VersionForm,
)
from vteam.web.prize_form import PrizeForm
from vteam.web.sides import sides
from vteam.web.visitors import person_of

_LIMITS = {"name_limit": NAME_LENGTH, "explanation_limit": EXPLANATION_LENGTH, "more_limit": MORE_LENGTH}
Show = Callable[[HttpRequest, Campaign, str], HttpResponse]


class Outcome(Enum):
    """What became of an edit."""

    KEPT = auto()
    OVERTAKEN = auto()
    REFUSED = auto()


def keeping_what_was_typed(show: Show) -> Callable[..., Callable[..., HttpResponseBase]]:
    """Who was signed out while typing gets their words back, in the same form, to be sent once more."""

    def keeping(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, **where: str) -> HttpResponseBase:
            if request.POST.get("act") != "keep" or person_of(request) is not None:
                return view(request, slug, **where)
            return show(request, campaign_or_404(slug), where.get("key", ""))

        return guarded

    return keeping


# Prizes --------------------------------------------------------------------------------------------------------
def _typed_prize(request: HttpRequest, campaign: Campaign, key: str) -> HttpResponse:
    form = PrizeForm(request.POST, file=campaign.file, entry=prize_of(campaign, key), seen=campaign.version)
    return _prize_page(request, campaign, form, signed_out=True)


@keeping_what_was_typed(_typed_prize)
@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """A prize more; its key is made from its name."""
    data = request.POST if request.method == "POST" else None
    form = PrizeForm(data, file=campaign.file, seen=campaign.version)
    if not form.is_valid():
        return _prize_page(request, campaign, form)
    name = form.cleaned_data[f"name_{campaign.file.languages[0]}"]
    return _keep_prize(request, campaign, form, key_for(campaign, name))


@keeping_what_was_typed(_typed_prize)
@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """A prize that is there: changed, or taken out."""
    entry, act = prize_of(campaign, key), request.POST.get("act", "")
    if request.method == "POST" and act not in ("keep", "take-out"):
        raise Http404
    if entry is None and act == "take-out":
        return redirect("organise-prizes", slug=campaign.slug)
    if entry is None:
        return _taken_out_meanwhile(request, campaign, key)
    if act == "take-out":
        return _take_out(request, campaign, entry)
    form = _form(campaign, entry, request.POST if act else None)
    if not form.is_valid():
        return _prize_page(request, campaign, form)
    return _keep_prize(request, campaign, form, key)


def _form(campaign: Campaign, entry: PrizeEntry, data: Any = None) -> PrizeForm:
    promise = promises(campaign).get(entry.key)
    return PrizeForm(data, file=campaign.file, entry=entry, promise=promise, seen=campaign.version)


def _keep_prize(request: HttpRequest, campaign: Campaign, form: PrizeForm, key: str) -> HttpResponseBase:
    tables = tables_of(campaign.file)
    prizes: list[Tables] = tables.setdefault("prizes", [])
    at = next((at for at, each in enumerate(prizes) if each["key"] == key), len(prizes))
    prizes[at : at + 1] = [{"key": key, **form.table()}]
    outcome = _keep(campaign, form, tables, ("prizes", at))
    if outcome is Outcome.KEPT:
        return redirect(f"{reverse('organise-prize', args=[campaign.slug, key])}?kept")
    return _prize_page(request, campaign, form, overtaken=outcome is Outcome.OVERTAKEN)


def _keep(campaign: Campaign, form: VersionForm, tables: Tables, at: tuple[str | int, ...]) -> Outcome:
    """Bring the campaign to edited tables; what is refused is said in the form, whose table stands `at`."""
    if form.cleaned_data["seen"] != campaign.version:
        return Outcome.OVERTAKEN
    file, found = read_tables(tables)
    for finding in found:
        form.tell(finding, at)
    if file is None:
        return Outcome.REFUSED
    try:
        kept = edit_campaign(
            campaign=campaign, file=file, seen=campaign.version, refuse=refuse_changes, at=clock.now()
        )
    except CampaignFileError as error:
        _say(form, error)
        return Outcome.REFUSED
    return Outcome.OVERTAKEN if kept is None else Outcome.KEPT


def _say(form: VersionForm, error: CampaignFileError) -> None:
    if isinstance(error, Promised):
        form.refuse(error.field, announced=error.announced)
    else:
        form.add_error(None, _("This cannot be kept: %(why)s") % {"why": error})


def _taken_out_meanwhile(request: HttpRequest, campaign: Campaign, key: str) -> HttpResponseBase:
    """Somebody took the prize out while it was being changed: what was typed can be kept as a new one."""
    form = PrizeForm(request.POST or None, file=campaign.file, seen=campaign.version)
    if not form.is_valid() and (not form.is_bound or "seen" in form.errors):
        raise Http404
    versions = CampaignVersion.objects.filter(campaign_id=campaign.pk)
    seen = versions.filter(version=form.cleaned_data["seen"]).first()
    if seen is None or all(prize.key != key for prize in read_file(seen.document).prizes):
        raise Http404
    return _prize_page(request, campaign, form, overtaken=True)


def _take_out(request: HttpRequest, campaign: Campaign, entry: PrizeEntry) -> HttpResponseBase:
    tables = tables_of(campaign.file)
    tables["prizes"] = [each for each in tables["prizes"] if each["key"] != entry.key]
    asked = VersionForm(request.POST)
    if not asked.is_valid():
        raise Http404
    outcome = _keep(campaign, asked, tables, ("prizes",))
    if outcome is Outcome.KEPT:
        return redirect("organise-prizes", slug=campaign.slug)
    refusal = "" if outcome is Outcome.OVERTAKEN else " ".join(map(str, asked.non_field_errors()))
    return _prize_page(request, campaign, _form(campaign, entry), overtaken=not refusal, refusal=refusal)


def _prize_page(
    request: HttpRequest,
    campaign: Campaign,
    form: PrizeForm,
    *,
    overtaken: bool = False,
    signed_out: bool = False,
    refusal: str = "",
) -> HttpResponse:
    """The page of a prize. `refusal`: why it was not taken out."""
    context = {"prize": form.entry, "promise": form.promise, "refusal": refusal}
    return _page(
        request,
        campaign,
        form,
        "organise_prize_edit.html",
        context | {"sides": sides(form, "name", "explanation", "value")},
        overtaken=overtaken,
        signed_out=signed_out,
    )


def _page(
    request: HttpRequest,
    campaign: Campaign,
    form: VersionForm,
    template: str,
    context: dict[str, Any],
    *,
    overtaken: bool = False,
    signed_out: bool = False,
) -> HttpResponse:
    """A page to type on. What was read is what may be written over: a refused form keeps its version."""
    if overtaken:
        campaign = Campaign.objects.get(pk=campaign.pk)
    known = {
        "campaign": campaign,
        "form": form,
        "seen": str(_seen(form) if form.is_bound and not overtaken else campaign.version),
        "overtaken": overtaken,
        "signed_out": signed_out,
    }
    not_now = overtaken or context.get("refusal")
    status = 403 if signed_out else 409 if not_now else 422 if form.errors else 200
    return private_render(request, template, known | context | _LIMITS, status=status)


def _seen(form: VersionForm) -> int:
    """The version whoever typed saw; 0, which never was, where they do not say."""
    return 0 if form.has_error("seen") else int(form.cleaned_data["seen"])


# The rules and the file ----------------------------------------------------------------------------------------
def _typed_rules(request: HttpRequest, campaign: Campaign, _key: str) -> HttpResponse:
    form = RulesForm(request.POST, file=campaign.file, seen=campaign.version)
    return _rules_page(request, campaign, form, signed_out=True)


@keeping_what_was_typed(_typed_rules)
@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """What the rules say besides: who answers, what more."""
    data = request.POST if request.method == "POST" else None
    form = RulesForm(data, file=campaign.file, seen=campaign.version)
    if not form.is_valid():
        return _rules_page(request, campaign, form)
    tables, typed = tables_of(campaign.file), form.table()
    tables.pop("rules", None)
    outcome = _keep(campaign, form, tables | ({"rules": typed} if typed else {}), ("rules",))
    if outcome is Outcome.KEPT:
        return redirect("rules", slug=campaign.slug)
    return _rules_page(request, campaign, form, overtaken=outcome is Outcome.OVERTAKEN)


def _rules_page(request: HttpRequest, campaign: Campaign, form: RulesForm, **how: bool) -> HttpResponse:
    return _page(request, campaign, form, "organise_rules.html", {"sides": sides(form, "more")}, **how)


@for_organisers
@require_safe
def campaign_file(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """The campaign file in force, to keep beside the songs."""
    text = toml_of(campaign.file, version=campaign.version)
    return attachment(text.encode(), "campaign.toml", "application/toml")
