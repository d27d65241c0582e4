"""Every route on one screen."""

from django.urls import URLPattern, path, re_path

from vteam.web.health import healthz
from vteam.web.views import (
    campaign,
    demo,
    fans,
    getting,
    holders,
    joining,
    landing,
    mailbox,
    news,
    organising,
    passing,
    shares,
    slips,
    titles,
)

handler500 = "vteam.web.views.faults.server_error"
urlpatterns: list[URLPattern] = [
    path("", campaign.index, name="index"),
    path("healthz", healthz),
    path("theme/<str:name>.css", campaign.theme, name="theme"),
    path("pictures/<str:name>.jpg", campaign.picture, name="picture"),
    # Coming in
    path("sign-in", joining.sign_in, name="sign-in"),
    path("sign-out", joining.sign_out, name="sign-out"),
    path("code", joining.code_link, name="code-link"),
    path("code/<str:token>", joining.code, name="code"),
    path("never", joining.never, name="never"),
    path("me", fans.me, name="me"),
    path("mailbox", mailbox.mailbox_page, name="mailbox"),
    path("demo", demo.stage, name="stage"),
    path("demo/as/<str:who>", demo.enter, name="stage-as"),
    # Rights holders
    path("holder", holders.mine, name="holders"),
    path("holder/<int:pk>", holders.holder, name="holder"),
    path("invitation/<str:secret>", holders.invitation, name="invitation"),
    # Organisers
    path("organise/invitation/<str:secret>", organising.invitation, name="organiser-invitation"),
    # Where short links lead (the edge redirects /r/CODE here)
    path("l/<str:code>", landing.landing, name="landing"),
    path("l/<str:code>/<slug:key>/ticket", getting.ticket, name="listener-ticket"),
    path("l/<str:code>/<slug:key>/ask", getting.ask, name="ask"),
    path("asked/<str:code>", getting.asked, name="asked"),
    path("arrived", landing.arrived, name="arrived"),
    # A campaign
    path("<slug:slug>/", campaign.campaign, name="campaign"),
    path("<slug:slug>/join", joining.join, name="join"),
    path("<slug:slug>/ranking", campaign.ranking, name="ranking"),
    path("<slug:slug>/news", news.every, name="news"),
    path("<slug:slug>/news/<int:pk>", news.one, name="news-one"),
    path("<slug:slug>/home", fans.home, name="home"),
    path("<slug:slug>/home/live", fans.home_live, name="home-live"),
    path("<slug:slug>/points", fans.points, name="points"),
    path("<slug:slug>/links", shares.shares, name="shares"),
    re_path(r"^(?P<slug>[-\w]+)/links/(?P<code>[a-z0-9]+)\.(?P<kind>svg|png)$", shares.qr, name="qr"),
    path("<slug:slug>/links/<str:code>", shares.share, name="share"),
    path("<slug:slug>/links/<str:code>/end", shares.end, name="share-end"),
    path("<slug:slug>/links/<str:code>/reopen", shares.reopen, name="share-reopen"),
    path("<slug:slug>/titles", titles.titles, name="titles"),
    path("<slug:slug>/titles/<slug:key>/listen.mp3", titles.listen, name="listen"),
    path("<slug:slug>/titles/<slug:key>/copy.mp3", titles.copy, name="copy"),
    path("<slug:slug>/titles/<slug:key>/pass-on", passing.pass_on, name="pass-on"),
    path("<slug:slug>/titles/<slug:key>/pass-on/copy", passing.copy, name="pass-on-copy"),
    path("<slug:slug>/titles/<slug:key>/pass-on/ticket", passing.ticket, name="seeder-ticket"),
    path("<slug:slug>/titles/<slug:key>/pass-on/counted", passing.counted, name="pass-on-counted"),
    path("<slug:slug>/pass-on/asking", passing.asking, name="asking"),
    path("<slug:slug>/titles/<slug:key>/permission", slips.slip, name="slip"),
    path("<slug:slug>/titles/<slug:key>/permission.pdf", slips.slip_file, name="slip-file"),
    path("<slug:slug>/organise", organising.home, name="organise"),
    path("<slug:slug>/organise/news/new", organising.new, name="organise-new"),
    path("<slug:slug>/organise/news/<int:pk>", organising.edit, name="organise-news"),
]
