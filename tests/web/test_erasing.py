"""A fan changes the name others see, or erases themself: nothing of theirs stays readable, and the books still hold.

And nobody who erased themself comes back with an older state of the database.
"""

import datetime as dt
import logging
import tempfile
from pathlib import Path

from django.contrib.sessions.models import Session
from django.db import connection
from django.test import override_settings

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.joining import account
from vteam.channels.erasing import erase_again
from vteam.channels.links.models import Share
from vteam.channels.mail.codes import Asker, ask_code
from vteam.channels.mail.models import OutboxMessage
from vteam.jobs.moving import InboxTable, Mover
from vteam.ledger.queries import points_of
from vteam.ledger.verify import verify
from vteam.people.erasure import Erased, erasing_of, log_path, note, noted
from vteam.people.models import Fan, Pending, Person
from vteam.people.services import Entry, become_fan, open_pending
from vteam.rights.models import Holder

ADDRESS, NAME = "zebulon@example.org", "Zébulon Quitteur"


class ErasingTests(Doors):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.leaver = account(address=ADDRESS, language="en", at=clock.now())
        cls.fan, _ = become_fan(
            person=cls.leaver, campaign_id=cls.campaign.pk, name=NAME, share_id=None, at=clock.now()
        )

    leaver: Person
    fan: Fan

    @override_settings(ARRIVAL_DWELL_SECONDS=0)
    def earn(self) -> None:
        """Somebody comes through the leaver's link: 50 points."""
        self.bo, kept = self.fan, self.bo
        share = self.share()
        self.bo = kept
        token = self.client.get(f"/l/{share.code}").context["arrival"]
        self.client.post("/arrived", {"token": token, "act": "stayed"})
        Mover(InboxTable()).move()
        self.assertEqual(points_of(self.campaign.pk, self.fan.pk), (50, 0))

    def stored_text(self) -> str:
        """Everything in every table, as text."""
        rows = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows.append(repr([[_readable(value) for value in row] for row in cursor.fetchall()]))
        return "\n".join(rows)

    def test_nothing_readable_stays_and_the_books_hold(self) -> None:
        self.earn()
        lookup, sealed = bytes(self.leaver.lookup), bytes(self.leaver.sealed_address)
        entry = Entry(campaign_id=self.campaign.pk, name=NAME, language="en")
        open_pending(address=ADDRESS, entry=entry, at=clock.now())
        Holder.objects.filter(campaign_id=self.campaign.pk, key="ines-morvan").update(person=self.leaver)
        client = self.signed_in(self.leaver)
        elsewhere = self.signed_in(self.leaver)
        self.assertIn(NAME, self.stored_text())
        response = client.post("/me", {"act": "erase"})
        self.assertContains(response, "You are erased.")
        self.assertContains(response, "No cookie, no tracker")
        self.assertEqual(client.cookies["vteam"].value, "")
        stored = self.stored_text()
        for trace in (NAME, ADDRESS, lookup.hex(), sealed.hex()):
            self.assertNotIn(trace, stored)
        self.assertFalse(Pending.objects.filter(lookup=lookup).exists())
        self.assertFalse(Share.objects.filter(fan_id=self.fan.pk).exists())
        self.assertIsNone(Holder.objects.get(campaign_id=self.campaign.pk, key="ines-morvan").person)
        self.assertRedirects(elsewhere.get("/me"), "/sign-in?after=%2Fme")
        self.assertEqual(points_of(self.campaign.pk, self.fan.pk), (50, 0))
        for page in ("/maree-haute/", "/maree-haute/ranking"):
            self.assertContains(self.client.get(page), "someone who left")
        self.assertIsNone(verify(connection, self.campaign.pk))
        Mover(InboxTable()).move()
        self.assertIsNone(verify(connection, self.campaign.pk))

    def test_it_is_asked_once_more_and_reading_erases_nothing(self) -> None:
        client = self.signed_in(self.leaver)
        self.assertContains(client.get("/me"), "Erase my account")
        page = client.get("/me?erase")
        self.assertContains(page, "Erase everything now")
        self.assertIn("no-store", page["Cache-Control"])
        self.assertTrue(Person.objects.filter(pk=self.leaver.pk).exists())
        self.assertEqual(Session.objects.count(), 1)

    def test_another_sites_page_erases_nobody(self) -> None:
        client = self.signed_in(self.leaver)
        response = client.post("/me", {"act": "erase"}, headers={"Sec-Fetch-Site": "cross-site"})
        self.assertEqual(response.status_code, 403)
        self.assertTrue(Person.objects.filter(pk=self.leaver.pk).exists())

    def test_somebody_erased_may_come_back_as_somebody_new(self) -> None:
        self.signed_in(self.leaver).post("/me", {"act": "erase"})
        again = account(address=ADDRESS, language="en", at=clock.now())
        self.assertNotEqual(again.pk, self.leaver.pk)
        self.assertFalse(Fan.objects.filter(person=again).exists())

    def test_the_log_has_a_number_and_two_times_and_nothing_else(self) -> None:
        before = len(list(noted(log_path())))
        created, at = clock.to_us(self.leaver.created_at), clock.now_us()
        number = self.leaver.pk
        self.signed_in(self.leaver).post("/me", {"act": "erase"})
        (line,) = list(noted(log_path()))[before:]
        self.assertEqual((line.person, line.created_at_us), (number, created))
        self.assertTrue(at <= line.erased_at_us <= clock.now_us())
        self.assertEqual(log_path().stat().st_mode & 0o777, 0o600)
        self.assertRegex(log_path().read_text(), r"\A(\n\d+ \d+ \d+\n)+\Z")

    def test_where_the_log_cannot_be_written_nothing_is_erased_and_nobody_is_told_so(self) -> None:
        with tempfile.TemporaryDirectory() as folder, override_settings(DATA=Path(folder) / "gone"):
            client = self.signed_in(self.leaver)
            client.raise_request_exception = False
            with self.assertLogs("django.request", level=logging.ERROR):
                response = client.post("/me", {"act": "erase"})
        self.assertEqual(response.status_code, 500)
        self.assertTrue(Person.objects.filter(pk=self.leaver.pk).exists())


class ComingBackTests(Doors):
    """The database is an older one now, the log is not."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "erased.log"

    def test_who_came_back_is_erased_again_with_codes_and_letters_and_nobody_else_is(self) -> None:
        entry = Entry(campaign_id=self.campaign.pk, name=NAME, language="en")
        leaver = account(address=ADDRESS, language="en", at=clock.now())
        ask_code(
            address=ADDRESS,
            entry=entry,
            asker=Asker(network="n", base_url="http://localhost"),
            link_path="/code",
            at=clock.now(),
        )
        lookup = bytes(leaver.lookup)
        self.assertTrue(OutboxMessage.objects.filter(lookup=lookup).exists())
        note([erasing_of(leaver, at=clock.now())], log=self.log)
        with self.assertLogs("vteam.channels.erasing", level=logging.WARNING):
            self.assertEqual(erase_again(log=self.log), 1)
        self.assertFalse(Person.objects.filter(pk=leaver.pk).exists())
        self.assertFalse(Pending.objects.filter(lookup=lookup).exists())
        self.assertFalse(OutboxMessage.objects.filter(lookup=lookup).exists())
        self.assertTrue(Person.objects.filter(pk=self.bo.person_id).exists())
        self.assertEqual(erase_again(log=self.log), 0)

    def test_a_newcomer_who_was_given_the_same_number_stays(self) -> None:
        earlier = self.bo.person.created_at - dt.timedelta(days=1)
        note(
            [
                Erased(
                    person=self.bo.person_id,
                    created_at_us=clock.to_us(earlier),
                    erased_at_us=clock.to_us(earlier) + 1,
                )
            ],
            log=self.log,
        )
        self.assertEqual(erase_again(log=self.log), 0)
        self.assertTrue(Person.objects.filter(pk=self.bo.person_id).exists())

    def test_what_a_power_cut_left_of_a_line_spoils_none_of_the_others(self) -> None:
        lines = [Erased(person=n, created_at_us=n * 10, erased_at_us=n * 100) for n in (1, 2, 3)]
        note(lines[:1], log=self.log)
        with self.log.open("a") as file:
            file.write("\n7 17")
        note(lines[1:], log=self.log)
        with self.assertLogs("vteam.people.erasure", level=logging.WARNING) as told:
            self.assertEqual(list(noted(self.log)), lines)
        self.assertIn("line 4 cannot be read", told.output[0])

    def test_without_a_log_nobody_is_looked_for(self) -> None:
        with self.assertNumQueries(0):
            self.assertEqual(erase_again(log=self.log), 0)


class RenamingTests(Doors):
    def test_a_fan_changes_the_name_others_see(self) -> None:
        client = self.signed_in()
        self.assertRedirects(client.post("/me", {"fan": self.bo.pk, "name": " Bo  le  Grand "}), "/me")
        self.assertContains(self.client.get(f"/l/{self.share().code}"), "Bo le Grand wants you to hear this")

    def test_the_name_of_nobody_else(self) -> None:
        cy = account(address="cy@example.org", language="en", at=clock.now())
        client = self.signed_in(cy)
        for number in (str(self.bo.pk), "", "x", "-1", "9" * 30):
            self.assertEqual(client.post("/me", {"fan": number, "name": "Cy"}).status_code, 404)
        self.assertEqual(Fan.objects.get(pk=self.bo.pk).name, "Bo")

    def test_a_name_that_cannot_be_is_said_beside_its_field(self) -> None:
        for name in ("", "\u3164", "LUNE noire", "x" * 41):
            response = self.signed_in().post("/me", {"fan": self.bo.pk, "name": name})
            self.assertContains(response, f'id="name-{self.bo.pk}-wrong"', status_code=422)
        self.assertEqual(Fan.objects.get(pk=self.bo.pk).name, "Bo")


def _readable(value: object) -> object:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
