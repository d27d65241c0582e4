"""A title with a torrent client, the site's part: two files that are never confused, fetching, and what is shown."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import libtorrent
from django.conf import settings
from django.test import Client
from django.utils import translation
from fastbencode import bdecode

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.copies.models import CopySent
from vteam.channels.copies.ranges import Span
from vteam.channels.copies.services import personal_copy
from vteam.channels.erasing import erase
from vteam.channels.swarm.models import Torrent, TorrentTemplate, Watch
from vteam.channels.swarm.seeding import FETCHED_MAX, take_to_fetch
from vteam.channels.swarm.torrents.metainfo import hashes_of
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Inbox, Rejected
from vteam.rules.canonical import canonical
from vteam.web.seeding import Program, Trouble, _change
from vteam.web.views.seeding import _fetched

PAGE = "/maree-haute/titles/les-digues/seed"


class SeedingDoors(Doors):
    def torrent(self) -> Torrent:
        self.signed_in().get(PAGE)
        return Torrent.objects.get(fan=self.bo)

    def files(self) -> tuple[dict[bytes, Any], dict[bytes, Any]]:
        """What the file for the computer and the one for friends hold."""
        client = self.signed_in()
        mine = client.post(PAGE + "/computer", headers={"Sec-Fetch-Site": "same-origin"})
        theirs = client.get(PAGE + "/friends")
        for answer in (mine, theirs):
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer["Content-Type"], "application/x-bittorrent")
        return bdecode(mine.content), bdecode(theirs.content)

    def fetch_path(self) -> str:
        mine, _ = self.files()
        return urlsplit(mine[b"url-list"].decode()).path

    def watched(self, **of: Any) -> None:
        torrent, at_us = self.torrent(), clock.now_us()
        content = {
            "torrent": torrent.pk,
            "at_us": at_us,
            "pieces": 40,
            "seeders": [],
            "own": [],
            "downloads": [],
            "here": [],
            "sent": 0,
            "claimed": 0,
            "mistake_us": 0,
            "unkept": 0,
        } | of
        Inbox.objects.create(
            campaign_id=self.campaign.pk, kind="Watched", key="", seen_at_us=at_us, body=canonical(content)
        )
        Mover(InboxTable()).move()

    def seeder(self, **of: Any) -> dict[str, Any]:
        return {
            "client": "qBittorrent 4.5.2",
            "reach": "open",
            "met": True,
            "has": 40,
            "left": 0,
            "last_us": clock.now_us(),
        } | of

    def download(self, **of: Any) -> dict[str, Any]:
        return {
            "listener": "ab" * 16,
            "client": "aria2 1.36.0",
            "first_us": clock.now_us(),
            "last_us": clock.now_us(),
            "judged_us": 0,
            "first_have": 0,
            "have": 10,
            "met": True,
            "claims": True,
            "whole_us": 0,
            "same": False,
            "doubt": "",
        } | of

    def now(self) -> str:
        return str(self.signed_in().get(PAGE + "/now").content.decode())


class FileTests(SeedingDoors):
    def test_both_files_are_one_private_torrent_with_keys_of_their_own(self) -> None:
        mine, theirs = self.files()
        self.assertEqual(mine[b"info"], theirs[b"info"])
        self.assertEqual(mine[b"info"][b"private"], 1)
        self.assertNotEqual(mine[b"announce"], theirs[b"announce"])
        torrent = Torrent.objects.get()
        self.assertTrue(mine[b"announce"].decode().endswith(f"/announce/{torrent.seed_key}"))
        self.assertTrue(theirs[b"announce"].decode().endswith(f"/announce/{torrent.friend_key}"))

    def test_only_the_one_for_the_computer_says_where_to_fetch(self) -> None:
        mine, theirs = self.files()
        self.assertIn(b"url-list", mine)
        self.assertNotIn(b"url-list", mine[b"info"])
        self.assertNotIn(b"url-list", theirs)
        keys = {torrent.seed_key for torrent in Torrent.objects.all()}
        self.assertFalse(any(key.encode() in repr(theirs).encode() for key in keys))

    def test_a_real_client_reads_it_and_the_hashes_are_those_of_the_copy(self) -> None:
        client = self.signed_in()
        content = client.get(PAGE + "/friends").content
        info = libtorrent.torrent_info(content)
        self.assertEqual(str(info.info_hash()), Torrent.objects.get().info_hash)
        copy = b"".join(client.get("/maree-haute/titles/les-digues/copy.mp3").streaming_content)
        self.assertEqual(info.total_size(), len(copy))
        pieces = b"".join(info.hash_for_piece(index) for index in range(info.num_pieces()))
        self.assertEqual(pieces, hashes_of(copy, info.piece_length()))

    def test_two_fans_share_all_hashes_but_the_first(self) -> None:
        self.torrent()
        from vteam.campaigns.joining import account
        from vteam.people.services import become_fan

        other = account(address="cy@example.org", language="en", at=clock.now())
        become_fan(person=other, campaign_id=self.campaign.pk, name="Cy", share_id=None, at=clock.now())
        self.signed_in(other).get(PAGE)
        bo, cy = Torrent.objects.order_by("pk")
        self.assertEqual(TorrentTemplate.objects.count(), 1)
        self.assertNotEqual(bytes(bo.first), bytes(cy.first))
        self.assertNotEqual(bo.info_hash, cy.info_hash)

    def test_the_page_makes_one_torrent_however_often_it_is_opened(self) -> None:
        for _ in range(3):
            self.torrent()
        self.assertEqual(Torrent.objects.count(), 1)

    def test_the_magnet_names_the_friends_key_and_nothing_of_the_fan(self) -> None:
        page = self.signed_in().get(PAGE).content.decode()
        torrent = Torrent.objects.get()
        (link,) = set(re.findall(r'data-copy="(magnet:[^"]+)"', page))
        given = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
        self.assertEqual(given["xt"], [f"urn:btih:{torrent.info_hash}"])
        self.assertTrue(given["tr"][0].endswith(torrent.friend_key))
        self.assertNotIn(torrent.seed_key, page)

    def test_new_keys_end_the_old_ones(self) -> None:
        before = self.torrent()
        path = self.fetch_path()
        self.signed_in().post(PAGE + "/keys", headers={"Sec-Fetch-Site": "same-origin"})
        after = Torrent.objects.get()
        self.assertNotIn(after.seed_key, {before.seed_key, before.friend_key})
        self.assertNotEqual(after.friend_key, before.friend_key)
        self.assertEqual(self.client.get(path).status_code, 410)

    def test_a_withdrawn_title_has_no_files(self) -> None:
        path = self.fetch_path()
        self.take_back()
        self.assertEqual(self.signed_in().get(PAGE).status_code, 302)
        self.assertEqual(self.signed_in().get(PAGE + "/friends").status_code, 410)
        self.assertEqual(self.client.get(path).status_code, 410)

    def test_after_the_season_there_are_none(self) -> None:
        over = self.campaign.file.shifted(-100)
        Campaign.objects.filter(pk=self.campaign.pk).update(document=over.model_dump_json())
        self.assertEqual(self.signed_in().get(PAGE + "/friends").status_code, 410)
        self.assertEqual(self.signed_in().get(PAGE).status_code, 302)

    def test_strangers_have_none(self) -> None:
        for path in (PAGE, PAGE + "/friends", PAGE + "/now"):
            self.assertEqual(Client(headers={"Host": "cy.localhost"}).get(path).status_code, 302)
        self.assertEqual(self.signed_in().get("/maree-haute/titles/none-such/seed").status_code, 404)

    def test_with_its_fan_everything_of_a_torrent_goes(self) -> None:
        self.watched()
        erase(person=self.bo.person, at=clock.now())
        self.assertFalse(Torrent.objects.exists() or Watch.objects.exists())

    def take_back(self) -> None:
        from vteam.campaigns.agreements import speak
        from vteam.rights.models import Holder
        from vteam.rules.rights import Act, Way

        speak(
            holder=Holder.objects.filter(campaign_id=self.campaign.pk).first(),  # type: ignore[arg-type]
            person=None,
            title=self.campaign.titles.get(key="les-digues"),
            way=Way.PASS_ON,
            act=Act.WITHDRAWN,
            language="en",
            at_us=clock.now_us(),
        )


class FetchTests(SeedingDoors):
    def test_a_client_fetches_the_copy_in_parts_without_a_session(self) -> None:
        path, torrent = self.fetch_path(), Torrent.objects.get()
        size = torrent.template.size
        whole = b""
        for start in range(0, size, 1_000_000):
            stop = min(start + 1_000_000, size)
            answer = self.client.get(path, headers={"Range": f"bytes={start}-{stop - 1}"})
            self.assertEqual(answer.status_code, 206)
            whole += b"".join(answer.streaming_content)
        self.assertEqual(len(whole), size)
        self.assertIn(torrent.link.encode(), whole[:65_536])
        torrent.refresh_from_db()
        self.assertEqual(torrent.fetch_left, int(FETCHED_MAX * size) - size)
        self.assertFalse(CopySent.objects.exists())

    def test_it_is_spent_after_a_while_and_a_new_file_opens_it_again(self) -> None:
        path = self.fetch_path()
        size = Torrent.objects.get().template.size
        self.assertEqual(len(b"".join(self.client.get(path).streaming_content)), size)
        self.assertEqual(self.client.get(path).status_code, 410)
        small = self.client.get(path, headers={"Range": "bytes=0-1023"})
        self.assertEqual(len(b"".join(small.streaming_content)), 1024)
        self.assertEqual(self.client.get(self.fetch_path()).status_code, 200)

    def test_many_at_once_get_no_more_than_one_after_the_other(self) -> None:
        path = self.fetch_path()
        answers = [self.client.get(path) for _ in range(4)]
        self.assertEqual([answer.status_code for answer in answers], [200, 410, 410, 410])
        self.assertEqual(len(b"".join(answers[0].streaming_content)), Torrent.objects.get().template.size)

    def test_what_did_not_leave_is_given_back(self) -> None:
        self.fetch_path()
        whole = Torrent.objects.get().fetch_left
        torrent = Torrent.objects.select_related("template__title__campaign").get()
        title = torrent.template.title
        copy = personal_copy(campaign=title.campaign, title=title, link=torrent.link)
        self.assertTrue(take_to_fetch(torrent=torrent, size=copy.size))
        leaving = _fetched(
            torrent, copy, Span(start=0, stop=copy.size, size=copy.size, partial=False), title.pk
        )
        first = len(next(leaving))
        next(leaving)  # whoever asks for the next chunk has taken the one before
        leaving.close()
        self.assertEqual(Torrent.objects.get().fetch_left, whole - first)

    def test_after_the_season_nothing_is_fetched(self) -> None:
        path = self.fetch_path()
        over = self.campaign.file.shifted(-100)
        Campaign.objects.filter(pk=self.campaign.pk).update(document=over.model_dump_json())
        self.assertEqual(self.client.get(path).status_code, 410)

    def test_a_new_file_ends_the_one_before(self) -> None:
        before, after = self.fetch_path(), self.fetch_path()
        self.assertEqual(self.client.get(before).status_code, 410)
        self.assertEqual(self.client.get(after).status_code, 200)

    def test_no_key_opens_nothing(self) -> None:
        self.torrent()
        self.assertEqual(self.client.get("/fetch/none").status_code, 410)


class StandingTests(SeedingDoors):
    def test_before_anything_was_seen_it_says_what_to_do(self) -> None:
        self.torrent()
        self.assertIn("We have not seen your computer yet.", self.now())

    def test_a_seeder_that_is_reached_is_said_to_be_there(self) -> None:
        self.watched(seeders=[self.seeder()])
        page = self.now()
        self.assertIn("We see your computer.", page)
        self.assertIn("qBittorrent 4.5.2", page)
        self.assertNotIn("<b>qBittorrent:", page)

    def test_one_that_was_heard_of_long_ago_is_not(self) -> None:
        self.watched(seeders=[self.seeder(last_us=clock.now_us() - 3600 * 10**6)])
        self.assertIn("Your computer is not ready yet.", self.now())

    def test_what_to_change_is_said_for_the_client_there_is(self) -> None:
        for of, words in (
            ({"reach": "closed"}, "UPnP / NAT-PMP"),
            ({"reach": "silent"}, "Allow encryption"),
            ({"reach": "encrypted"}, "Allow encryption"),
            ({"has": 3}, "Super seeding mode"),
        ):
            with self.subTest(words):
                self.watched(seeders=[self.seeder(**of)])
                self.assertIn(words, self.now())

    def test_every_trouble_has_words_for_every_client_in_both_languages(self) -> None:
        for language in ("en", "fr"):
            with translation.override(language):
                said = {_change(trouble, program) for trouble in Trouble for program in Program}
                self.assertGreater(len(said), 10)

    def test_a_friend_with_the_wrong_file_is_explained(self) -> None:
        self.watched(mistake_us=clock.now_us())
        self.assertIn("A friend seems to have the file that is for your computer.", self.now())

    def test_who_downloads_is_shown_with_how_much_they_have(self) -> None:
        self.watched(downloads=[self.download()], here=["ab" * 16])
        page = self.now()
        self.assertIn("Somebody with aria2 1.36.0 · Downloading now.", page)
        self.assertIn('value="25"', page)

    def test_what_was_judged_is_said_in_words(self) -> None:
        for of, words in (
            ({}, "The whole title left your computer."),
            ({"doubt": "gap"}, "a person will look at it"),
            ({"doubt": "unseen"}, "it does not count"),
            ({"same": True}, "where your own computer is"),
        ):
            with self.subTest(words):
                self.watched(downloads=[self.download(judged_us=clock.now_us(), have=40, **of)])
                self.assertIn(words, self.now())

    def test_of_two_rows_the_later_one_is_shown_and_of_no_torrent_none(self) -> None:
        self.watched(unkept=1)
        self.watched(unkept=2)
        self.assertIn("2 more showed us nothing.", self.now())
        at_us = clock.now_us()
        for body in ("{}", "no json", json.dumps({"torrent": 10**30})):
            Inbox.objects.create(
                campaign_id=self.campaign.pk, kind="Watched", key="", seen_at_us=at_us, body=body
            )
        Mover(InboxTable()).move()
        self.assertEqual(Rejected.objects.filter(kind="Watched").count(), 3)

    def test_in_french_too(self) -> None:
        self.watched(seeders=[self.seeder(reach="closed")])
        page = self.signed_in().get("/fr" + PAGE).content.decode()
        self.assertIn("1. Pour mon ordinateur", page)
        self.assertIn("redirection de port UPnP / NAT-PMP", page)

    def test_its_addresses_are_the_installations(self) -> None:
        mine, _ = self.files()
        self.assertTrue(
            mine[b"announce"].startswith(f"http://localhost:{settings.EDGE_PORT}/announce/".encode())
        )
