"""Coming in: joining a vTeam, coming back, the code from the mail, and leaving the browser signed out."""

from dataclasses import replace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import login, logout
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_POST

from vteam import clock
from vteam.campaigns.joining import Arrived, come_in, join_signed_in
from vteam.campaigns.models import Campaign
from vteam.channels.links.models import Share
from vteam.channels.mail.codes import Asker, ask_code, never_again, refused_by, try_code
from vteam.channels.mail.troubles import try_again
from vteam.people.models import Pending, Person
from vteam.people.queries import fan_of
from vteam.people.services import Entry, Proof, address_of, entry_of, prove_by_link
from vteam.permissions.codes import may_knock
from vteam.web.addresses import mail_base
from vteam.web.answers import campaign_or_404, private_render, safe_after
from vteam.web.forms import CodeForm, JoinForm, LinkForm, MemberForm, NameField, SignInForm
from vteam.web.views.landing import confirm_act, share_of_via
from vteam.web.visitors import door_network, fan_here, networks_in, person_of

_WAITING = "vteam.web.code"
LINK_AGE_SECONDS = 60 * 60 * 24


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The form a fan joins with. Nothing is stored but an expiring code until the address is proven.

    Whoever is signed in has proven theirs before: they are a fan at once.
    """
    campaign = campaign_or_404(slug)
    if fan_here(request, campaign) is not None:
        return redirect("home", slug=slug)
    if clock.now() >= campaign.file.season.ends_at:
        return private_render(request, "season_over.html", {"campaign": campaign}, status=410)
    person = person_of(request)
    form = _join_form(request, campaign, person)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return private_render(request, "join.html", _join_context(campaign, form), status=status)
    if form.cleaned_data["age"] == MemberForm.YOUNGER:
        return private_render(request, "too_young.html", {"campaign": campaign})
    entry = _joining_entry(request, campaign, form)
    address, arrival = form.cleaned_data.get("address", ""), form.cleaned_data["arrival"]
    if person is None:
        return _ask(request, address, entry, arrival=arrival)
    return _join_at_once(request, campaign, person, entry, arrival=arrival)


def _join_form(request: HttpRequest, campaign: Campaign, person: Person | None) -> MemberForm:
    """What is asked of somebody: their address only where it is not known."""
    kind, band = (JoinForm if person is None else MemberForm), campaign.file.artist
    if request.method == "POST":
        return kind(request.POST, band=band)
    given = {name: request.GET.get(name, "") for name in ("via", "arrival", "after")}
    return kind(initial=given, band=band)


def _join_at_once(
    request: HttpRequest, campaign: Campaign, person: Person, entry: Entry, *, arrival: str
) -> HttpResponseBase:
    if arrival:
        confirm_act(request, campaign, token=arrival, act="joined")
    network = networks_in(request, campaign).near
    join_signed_in(person=person, entry=entry, network=network, at_us=clock.now_us())
    return redirect(entry.after or reverse("home", args=[campaign.slug]))


def _join_context(campaign: Campaign, form: MemberForm) -> dict[str, object]:
    share = share_of_via(str(form["via"].value() or ""), campaign)
    return {"campaign": campaign, "form": form, "share": share}


def _joining_entry(request: HttpRequest, campaign: Campaign, form: MemberForm) -> Entry:
    """What was typed; whoever comes through a share is that fan's recruit, the latest share winning."""
    data = form.cleaned_data
    share: Share | None = share_of_via(data["via"], campaign)
    return Entry(
        campaign_id=campaign.pk,
        name=data["name"],
        language=translation.get_language() or "en",
        share_id=share.pk if share else None,
        recruiter_id=share.fan_id if share else None,
        after=safe_after(data["after"]) or "",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Coming back with a code. Whether an address is known is not told."""
    if person_of(request) is not None:
        return redirect(safe_after(request.GET.get("after", "")) or reverse("me"))
    if request.method != "POST":
        form = SignInForm(initial={"after": request.GET.get("after", "")})
        return private_render(request, "sign_in.html", {"form": form})
    form = SignInForm(request.POST)
    if not form.is_valid():
        return private_render(request, "sign_in.html", {"form": form}, status=422)
    entry = Entry(
        campaign_id=None,
        name="",
        language=translation.get_language() or "en",
        after=safe_after(form.cleaned_data["after"]) or reverse("me"),
    )
    return _ask(request, form.cleaned_data["address"], entry)


def _ask(request: HttpRequest, address: str, entry: Entry, *, arrival: str = "") -> HttpResponse:
    """The page that waits for the code; `arrival` is a landing page's token, good once the code was right."""
    asker, at = Asker(network=door_network(request), base_url=mail_base(request)), clock.now()
    if not may_knock(network=asker.network, at=at):
        return private_render(request, "429.html", {}, status=429)
    pending = ask_code(address=address, entry=entry, asker=asker, link_path=reverse("code-link"), at=at)
    token = signing.dumps(
        {
            "p": pending.pk,
            "c": entry.campaign_id,
            "n": entry.name,
            "s": entry.share_id,
            "r": entry.recruiter_id,
            "f": entry.after,
            "a": arrival,
        },
        salt=_WAITING,
        compress=True,
    )
    return redirect("code", token=token)


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest, token: str) -> HttpResponseBase:
    """The page that waits for the six digits."""
    content, at = _waiting(token), clock.now()
    pending = Pending.objects.filter(pk=content["p"]).first() if content else None
    # Rows of codes that were mailed outlive the code: whether one is still there must not be told.
    if content is None or pending is None or at >= pending.expires_at:
        return private_render(request, "code_expired.html", {}, status=410)
    campaign = _campaign(content["c"])
    form = CodeForm(request.POST or None)
    context = {
        "form": form,
        "campaign": campaign,
        "address": address_of(pending),
        "minutes": settings.CODE_MINUTES,
        "demo": settings.DEMO,
    }
    if request.method != "POST" or not form.is_valid():
        return private_render(request, "code.html", context, status=422 if form.is_bound else 200)
    typed, network = form.cleaned_data["code"], door_network(request)
    proof = try_code(pending=pending, typed=typed, network=network, at=at)
    if proof is not Proof.RIGHT:
        return private_render(request, "code.html", context | {"proof": str(proof)}, status=422)
    return _enter(request, pending, _entry_from(content), arrival=content.get("a", ""))


def _waiting(token: str) -> dict[str, Any] | None:
    try:
        return cast(dict[str, Any], signing.loads(token, salt=_WAITING, max_age=LINK_AGE_SECONDS))
    except signing.BadSignature:
        return None


def _entry_from(content: dict[str, Any]) -> Entry:
    return Entry(
        campaign_id=content["c"],
        name=content["n"],
        language=translation.get_language() or "en",
        share_id=content["s"],
        recruiter_id=content["r"],
        after=content["f"],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def code_link(request: HttpRequest) -> HttpResponseBase:
    """The page the mail's link opens, on any device: one button, and for a joiner the name to show."""
    form = LinkForm(request.POST or request.GET)
    pending = prove_by_link(link_secret=form.data.get("k", ""), at=clock.now())
    if pending is None:
        return private_render(request, "code_expired.html", {}, status=410)
    campaign = _campaign(pending.campaign_id)
    joins = campaign is not None and not _is_fan(pending)
    if campaign is not None:
        cast(NameField, form.fields["name"]).band = campaign.file.artist
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "campaign": campaign, "name": pending.name, "joins": joins}
        return private_render(request, "code_link.html", context)
    entry = entry_of(pending)
    if joins and form.cleaned_data["name"]:
        entry = replace(entry, name=form.cleaned_data["name"])
    if pending.asked_from != door_network(request):
        # Typing strangers' addresses must not recruit them: elsewhere than where the code was asked for, the
        # mail's link brings its reader in, and nobody else points.
        entry = replace(entry, share_id=None, recruiter_id=None)
    return _enter(request, pending, entry)


def _campaign(pk: int | None) -> Campaign | None:
    return None if pk is None else Campaign.objects.filter(pk=pk).first()


def _is_fan(pending: Pending) -> bool:
    person = Person.objects.filter(lookup=bytes(pending.lookup)).first()
    return fan_of(person, pending.campaign_id or 0) is not None


def _enter(request: HttpRequest, pending: Pending, entry: Entry, *, arrival: str = "") -> HttpResponseBase:
    campaign = _campaign(entry.campaign_id)
    before = fan_here(request, campaign) if campaign else None
    arrived = come_in(
        pending=pending,
        entry=entry,
        network=networks_in(request, campaign).near if campaign else "",
        signed_in_fan=before.pk if before else None,
        at_us=clock.now_us(),
    )
    if campaign is not None and arrival:
        # Confirms nothing where the token is too old by now.
        confirm_act(request, campaign, token=arrival, act="joined")
    try_again(person=arrived.person)  # Their mailbox works: a code came through it.
    login(request, arrived.person)
    return redirect(_first_page(request, arrived, campaign, entry.after))


def _first_page(request: HttpRequest, arrived: Arrived, campaign: Campaign | None, after: str) -> str:
    here = safe_after(after)
    if here is None and campaign is not None and arrived.fan is not None:
        return reverse("home", args=[campaign.slug])
    return here or reverse("me")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session in this browser."""
    logout(request)
    return redirect("index")


@require_http_methods(["GET", "HEAD", "POST"])
def never(request: HttpRequest) -> HttpResponseBase:
    """The mail's "not me, never again": GET shows, POST acts."""
    token = request.POST.get("k") or request.GET.get("k", "")
    if refused_by(token) is None:
        raise Http404
    done = request.method == "POST" and never_again(token=token, at=clock.now())
    return private_render(request, "never.html", {"token": token, "done": done})
