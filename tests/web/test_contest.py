"""An organiser changes the contest in the browser: a prize added, changed, taken out; what the rules say besides."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from tests.services.winners import SETTLED, give, prize, the
from tests.web.prizestage import Stage, text
from vteam.campaigns.check import check_campaign
from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.models import Campaign, CampaignVersion, MadeIn, Title
from vteam.campaigns.services import _new_version, _stored
from vteam.prizes.models import Draw

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("after_the_season")]
PRIZES, NEW = "/maree-haute/organise/prizes", "/maree-haute/organise/new-prize"
EDIT, RULES = f"{PRIZES}/record/edit", "/maree-haute/organise/rules"
TYPED = {
    "act": "keep", "seen": "1", "kind": "draw", "first": "", "milestone": "", "qualify": "10", "weighted": "yes",
    "how_many": "3", "name_en": "An evening at home", "name_fr": "Une soirée chez vous",
    "explanation_en": "We play\nin your kitchen.", "explanation_fr": "On joue\ndans ta cuisine.", "value_en": "",
    "value_fr": "", "supplied_by": "Lune Noire", "confirmed": "on", "needs": "address", "claim_days": "21",
    "minimum_age": "18", "countries": "France, be",
}  # fmt: skip


@pytest.fixture
def stage() -> Stage:
    """Two fans with points, and one record for the first two of the ranking."""
    return Stage(prize())


@pytest.fixture
def ana(stage: Stage) -> Client:
    return stage.client(stage.ana)


def file() -> CampaignFile:
    return Campaign.objects.get().file


def record(**of: Any) -> dict[str, str]:
    """What a browser sends of the record's page, with something else typed."""
    shown = {
        "kind": "ranking", "first": "2", "qualify": "", "weighted": "no", "how_many": "", "name_en": "A record",
        "name_fr": "A record", "explanation_en": "On vinyl.", "explanation_fr": "On vinyl.",
        "supplied_by": "Petit Large", "needs": "nothing", "claim_days": "14", "minimum_age": "", "countries": "",
    }  # fmt: skip
    return {**TYPED, **shown, **of}


def test_ana_adds_a_prize_and_its_key_is_made_from_its_name(stage: Stage, ana: Client) -> None:
    page = text(ana.get(NEW))
    assert "What is there to win?" in page
    assert "key" not in re.findall(r'name="(\w+)"', page)
    kept = ana.post(NEW, TYPED)
    assert kept["Location"] == f"{PRIZES}/une-soiree-chez-vous?kept"
    assert "Kept." in text(ana.get(kept["Location"]))
    first, added = file().prizes
    assert first.key == "record", "the order stays"
    assert added == PrizeEntry.model_validate(
        {
            "key": "une-soiree-chez-vous", "kind": "draw", "qualify": 10, "weighted": True, "how_many": 3,
            "name": {"en": "An evening at home", "fr": "Une soirée chez vous"},
            "explanation": {"en": "We play\nin your kitchen.", "fr": "On joue\ndans ta cuisine."},
            "supplied_by": "Lune Noire", "confirmed": True, "needs": "address", "claim_days": 21,
            "minimum_age": 18, "countries": ["FR", "BE"],
        }
    )  # fmt: skip
    assert "Une soirée chez vous" in text(stage.client().get("/fr/maree-haute/prizes"))
    ana.post(NEW, TYPED | {"seen": "2"})
    assert file().prizes[2].key == "une-soiree-chez-vous-2"


def test_a_key_of_a_prize_that_is_gone_is_nobody_elses(ana: Client) -> None:
    ana.post(NEW, TYPED)
    gone = f"{PRIZES}/une-soiree-chez-vous/edit"
    assert ana.post(gone, {"act": "take-out", "seen": "2"})["Location"] == PRIZES
    assert [each.key for each in file().prizes] == ["record"]
    ana.post(NEW, TYPED | {"seen": "3"})
    assert file().prizes[1].key == "une-soiree-chez-vous-2"
    assert "Une soirée" in text(ana.get("/fr/maree-haute/rules?version=2"))
    assert "Une soirée" not in text(ana.get("/fr/maree-haute/rules?version=3"))


def test_ana_changes_a_prize_and_what_the_form_does_not_ask_stays(stage: Stage, ana: Client) -> None:
    titles = list(Title.objects.values("pk", "key", "body_sha256", "pictures"))
    page = text(ana.get(EDIT))
    assert 'value="Petit Large"' in page
    assert "Take this prize out" in page
    assert ana.post(EDIT, record(first="3", value_en="30 €", value_fr="30 €")).status_code == 302
    (changed,) = file().prizes
    assert (changed.first, changed.confirmed, changed.weighted) == (3, True, False)
    assert changed.value is not None
    assert changed.value.fr == "30 €"
    assert list(Title.objects.values("pk", "key", "body_sha256", "pictures")) == titles
    assert CampaignVersion.objects.get(version=2).made_in == "browser"
    again = ana.post(EDIT, record(first="3", value_en="30 €", value_fr="30 €", seen="2"))
    assert again.status_code == 302
    assert Campaign.objects.get().version == 2, "the same again is no version"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"kind": ""}, "Please choose one."),
        ({"kind": "nonsense"}, "Please choose one."),
        ({"first": ""}, "A number is needed here."),
        ({"first": "many"}, "Type a whole number, in figures."),
        ({"first": "10001"}, "At most 10000."),
        ({"how_many": "1"}, "That is fewer than you promise to the first ones"),
        ({"kind": "draw"}, "A number is needed here."),
        ({"kind": "draw", "how_many": "999999"}, "takes too long to be done again"),
        ({"kind": "milestone"}, "Please choose one."),
        ({"kind": "milestone", "milestone": "77"}, "There is no such milestone."),
        ({"name_fr": ""}, "It needs a name."),
        ({"name_fr": "x" * 81}, "This is 1 character too long: at most 80."),
        ({"explanation_en": ""}, "Say in a sentence or two what it is."),
        ({"value_en": "30 €"}, "Say it in this language too, or in none."),
        ({"supplied_by": ""}, "a name is needed"),
        ({"needs": ""}, "Please choose one."),
        ({"claim_days": "91"}, "At most 90."),
        ({"claim_days": ""}, "A number is needed here."),
        ({"minimum_age": "12"}, "At least 13."),
        ({"countries": "France, Atlantis"}, "We know no country called “Atlantis”."),
        ({"countries": "x" * 4_001}, "We know no country called"),
        ({"seen": "nonsense"}, "Not kept yet"),
        ({"supplied_by": "\x00"}, "Not kept yet"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    ana: Client, typed: dict[str, str], said: str
) -> None:
    refused = ana.post(EDIT, record(explanation_fr="Sur vinyle noir.") | typed)
    assert refused.status_code == 422
    assert said in text(refused)
    assert "Not kept yet" in text(refused)
    assert "Sur vinyle noir." in text(refused)
    seen = "0" if "seen" in typed else "1"
    assert f'name="seen" value="{seen}"' in text(refused), "what was read is what may be written over"
    assert Campaign.objects.get().version == 1


def test_what_another_kind_of_prize_has_is_passed_over(ana: Client) -> None:
    typed = record(kind="first-come", how_many="4", first="nonsense", qualify="-3", weighted="yes")
    assert ana.post(EDIT, typed).status_code == 302
    (changed,) = file().prizes
    assert (changed.kind, changed.first, changed.qualify, changed.weighted) == (
        "first-come",
        None,
        None,
        False,
    )


def test_what_is_wrong_elsewhere_in_the_campaign_is_a_sentence_at_the_top(stage: Stage, ana: Client) -> None:
    season = stage.campaign.file.season.model_copy(update={"settled": dt.date(2028, 1, 1)})
    stage.campaign.document = stage.campaign.file.model_copy(update={"season": season}).canonical()
    stage.campaign.save()
    refused = ana.post(EDIT, record(first="3"))
    assert refused.status_code == 422
    assert "Something else in the campaign has to be put right first: the result would be final" in text(
        refused
    )


def test_who_is_overtaken_keeps_their_words_and_decides(stage: Stage, ana: Client) -> None:
    assert ana.post(EDIT, record(first="3")).status_code == 302
    late = ana.post(EDIT, record(name_en="A black record"))
    assert late.status_code == 409
    assert "Somebody else changed the campaign meanwhile" in text(late)
    assert 'value="A black record"' in text(late)
    assert 'name="seen" value="2"' in text(late)
    assert file().prizes[0].first == 3
    assert ana.post(EDIT, record(name_en="A black record", first="3", seen="2")).status_code == 302
    assert file().prizes[0].name.en == "A black record"


def test_a_prize_taken_out_meanwhile_can_be_kept_as_a_new_one(stage: Stage, ana: Client) -> None:
    stored = _stored(stage.campaign)
    _new_version(stage.campaign, file(), file().canonical(), stored, SETTLED, MadeIn.FILE)
    assert ana.post(EDIT, {"act": "take-out", "seen": "1"}).status_code == 409
    assert ana.post(EDIT, {"act": "take-out", "seen": "2"}).status_code == 302
    late = ana.post(EDIT, record(seen="2"))
    assert late.status_code == 409
    assert f'action="{NEW}"' in text(late)
    assert ana.post(NEW, record(seen="3")).status_code == 302
    assert file().prizes[0].key == "a-record", "the old key stays the old one's"
    assert ana.post(EDIT, {"act": "take-out", "seen": "4"})["Location"] == PRIZES
    assert ana.get(EDIT).status_code == 404
    assert ana.post(f"{PRIZES}/never-there/edit", record(seen="2")).status_code == 404


def test_what_was_promised_is_shown_and_stays(stage: Stage, ana: Client) -> None:
    stage.settle()
    assert the(stage.campaign, "Bo").prize == "record"
    page = text(ana.get(EDIT))
    assert "Somebody has been offered this prize: who it is for" in page
    assert "Take this prize out" not in page
    assert re.search(r'<input[^>]*name="first"[^>]*disabled', page)
    shown = record(supplied_by="The label")
    for name in ("kind", "first", "milestone", "needs"):
        del shown[name]
    assert ana.post(EDIT, shown).status_code == 302, "a browser sends nothing of what is only shown"
    assert (file().prizes[0].supplied_by, file().prizes[0].first) == ("The label", 2)
    forced = ana.post(EDIT, record(first="1", seen="2"))
    assert forced.status_code == 422
    assert "This stays as it is: somebody has been offered this prize." in text(forced)
    out = ana.post(EDIT, {"act": "take-out", "seen": "2"})
    assert out.status_code == 409
    assert "It was not taken out. This stays as it is: somebody has been offered this prize." in text(out)
    assert file().prizes[0].first == 2


def test_an_announced_draw_stays_what_it_is(stage: Stage, ana: Client) -> None:
    give(stage.campaign, prize(kind="draw", first=None, how_many=2, weighted=True))
    Draw.objects.create(
        campaign_id=stage.campaign.pk, prize="record", number=1, announcement="{}", announced="x",
        announced_at=SETTLED,
    )  # fmt: skip
    typed = record(kind="draw", first="", how_many="3", weighted="yes")
    refused = ana.post(EDIT, typed)
    assert "This stays as it is: the draw is announced." in text(refused)
    assert ana.post(EDIT, typed | {"how_many": "2", "claim_days": "30"}).status_code == 302
    assert file().prizes[0].weighted


def test_places_at_a_concert_ask_for_a_name_and_are_left_out_where_there_is_none(ana: Client) -> None:
    assert "The release concert · La Cale sèche, Nantes" in text(ana.get(NEW))
    at_home = {
        "concert": "nantes",
        "places": "2",
        "given_on": "on",
        "name_en": "Two places",
        "name_fr": "Deux places",
    }
    assert ana.post(NEW, {**TYPED, **at_home}).status_code == 302
    added = file().prizes[-1]
    assert (added.concert, added.places, added.given_on, added.needs) == ("nantes", 2, True, "name")
    assert ana.post(NEW, {**TYPED, **at_home, "concert": "nowhere", "seen": "2"}).status_code == 422
    without = {**TYPED, **at_home, "concert": "", "seen": "2"}
    assert ana.post(f"{PRIZES}/{added.key}/edit", without).status_code == 302
    changed = file().prizes[-1]
    assert (changed.concert, changed.places, changed.given_on, changed.needs) == (None, 1, False, "address")


def test_in_a_campaign_of_one_language_what_was_said_in_another_stays(stage: Stage, ana: Client) -> None:
    both = prize(name={"en": "A record", "fr": "Un disque"}, explanation="Vinyle.")
    give(stage.campaign, both)
    stage.campaign.document = stage.campaign.file.model_copy(update={"languages": ("fr",)}).canonical()
    stage.campaign.save()
    assert "name_en" not in text(ana.get(EDIT))
    assert ana.post(EDIT, record(name_fr="Un vinyle", explanation_fr="Noir.")).status_code == 302
    (changed,) = file().prizes
    assert (changed.name.en, changed.name.fr) == ("A record", "Un vinyle")
    assert (changed.explanation.en, changed.explanation.fr) == (None, "Noir."), "it was written once for all"
    assert "Noir." in text(ana.get("/en/maree-haute/prizes"))


def test_ana_says_who_answers_for_it(stage: Stage, ana: Client) -> None:
    assert "What the rules say besides." in text(ana.get(RULES))
    lacking = ana.post(
        RULES, {"act": "keep", "seen": "1", "answers": "", "more_en": "Ask us.", "more_fr": ""}
    )
    assert lacking.status_code == 422
    assert "Say who answers for it" in text(lacking)
    assert "Say it in this language too" in text(lacking)
    assert "Ask us." in text(lacking)
    said = {
        "act": "keep",
        "seen": "1",
        "answers": "Petit Large",
        "more_en": "Ask us.",
        "more_fr": "Demandez.",
    }
    assert ana.post(RULES, said)["Location"] == "/maree-haute/rules"
    assert "Demandez." in text(stage.client().get("/fr/maree-haute/rules"))
    assert ana.post(RULES, said).status_code == 409
    nothing = {"act": "keep", "seen": "2", "answers": "", "more_en": "", "more_fr": ""}
    assert ana.post(RULES, nothing).status_code == 302
    assert file().rules is None
    assert ana.post(RULES, nothing | {"answers": "x" * 81, "seen": "3"}).status_code == 422


def test_ana_says_what_holds_country_by_country(stage: Stage, ana: Client) -> None:
    typed = {"act": "keep", "seen": "1", "answers": "Petit Large, Roscoff", "more_en": "", "more_fr": ""}
    first = {**typed, "country_0": "belgium", "text_0_en": "Read this.", "text_0_fr": "Lis ceci."}
    assert ana.post(RULES, first).status_code == 302
    (only,) = file().rules.conditions  # type: ignore[union-attr]
    assert (only.country, only.text.en, only.text.fr) == ("BE", "Read this.", "Lis ceci.")
    assert "Lis ceci." in text(stage.client().get("/fr/maree-haute/rules"))
    again = {**first, "seen": "2", "country_1": "BE", "text_1_en": "x", "text_1_fr": "x"}
    for wrong, said in (
        (again, "stands here twice"),
        ({**again, "country_1": ""}, "In which country does this hold?"),
        ({**again, "country_1": "Atlantis"}, "We know no country called “Atlantis”."),
        ({**again, "country_1": "FR", "text_1_en": "", "text_1_fr": ""}, "Say what holds there."),
        ({**again, "country_1": "FR", "text_1_fr": ""}, "Say it in this language too"),
        ({**first, "seen": "2", "answers": ""}, "Say who answers for it"),
    ):
        refused = ana.post(RULES, wrong)
        assert refused.status_code == 422, said
        assert said in text(refused)
    gone = {**first, "seen": "2", "country_0": "", "text_0_en": "", "text_0_fr": ""}
    assert ana.post(RULES, gone).status_code == 302
    assert file().rules.conditions == ()  # type: ignore[union-attr]


def test_only_who_organises_comes_here_and_finds_the_way(stage: Stage, ana: Client) -> None:
    for path in (EDIT, NEW, RULES, "/maree-haute/organise/campaign.toml"):
        assert stage.client(stage.bo).get(path).status_code == 404
        assert stage.client(stage.bo).post(path, record()).status_code == 404
        assert stage.client().get(path).status_code == 302
        assert ana.get(path)["Cache-Control"] == "private, no-store"
    assert stage.client().post(EDIT, {"act": "take-out", "seen": "1"}).status_code == 302
    assert ana.post(EDIT, record(act="nonsense")).status_code == 404
    assert f'href="{NEW}"' in text(ana.get(PRIZES))
    assert f'href="{EDIT}"' in text(ana.get(f"{PRIZES}/record"))
    ana.post(EDIT, record(first="3"))
    assert f'href="{RULES}"' in text(ana.get("/maree-haute/rules"))
    assert f'href="{RULES}"' not in text(stage.client(stage.bo).get("/maree-haute/rules"))


def test_who_was_signed_out_while_typing_gets_their_words_back(stage: Stage) -> None:
    for path, typed in (
        (EDIT, record(name_en="A black record")),
        (NEW, TYPED | {"name_en": "A black record"}),
        (RULES, {"act": "keep", "seen": "1", "answers": "A black record"}),
    ):
        answer = stage.client().post(path, typed)
        assert answer.status_code == 403
        assert "You were signed out meanwhile" in text(answer)
        assert 'value="A black record"' in text(answer)
    assert Campaign.objects.get().version == 1


def test_the_file_in_force_is_downloaded_as_it_can_be_applied(
    stage: Stage, ana: Client, tmp_path: Any
) -> None:
    ana.post(EDIT, record(first="3"))
    answer = ana.get("/maree-haute/organise/campaign.toml")
    assert answer["Content-Disposition"] == 'attachment; filename="campaign.toml"'
    (tmp_path / "campaign.toml").write_bytes(answer.content)
    problems = check_campaign(tmp_path).problems
    assert all("there is no such file" in str(problem) for problem in problems), (
        "only its songs are elsewhere"
    )
    assert "first = 3" in answer.content.decode()
