"""A season as an iCalendar document (RFC 5545, RFC 7986). The same values give the same bytes.

Days are days wherever they are read; hours are told in UTC, which needs no table of time zones. Nothing in it makes
its reader seem busy. Lines are folded and texts escaped by the library.
"""

import datetime as dt

import icalendar

from vteam.channels.feeds.values import Calendar, Occasion, sayable

PRODUCT = "-//vTeam//season//EN"
ASK_AGAIN = dt.timedelta(hours=6)


def icalendar_of(calendar: Calendar) -> bytes:
    """The calendar as an iCalendar document."""
    document = icalendar.Calendar()
    document.add("prodid", PRODUCT)
    document.add("version", "2.0")
    document.add("calscale", "GREGORIAN")
    # What RFC 7986 says, and the older names of the same that most programs still look for.
    for name in ("name", "x-wr-calname"):
        document.add(name, _text(calendar.title, calendar.language), encode=False)
    for name in ("description", "x-wr-caldesc"):
        document.add(name, _text(calendar.about, calendar.language), encode=False)
    document.add("uid", str(calendar.name))
    document.add("last-modified", calendar.updated_at)
    document.add("source", calendar.address, parameters={"VALUE": "URI"})
    document.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})
    document.add("x-published-ttl", icalendar.vDuration(ASK_AGAIN), encode=False)
    for occasion in calendar.occasions:
        document.add_component(_event(occasion, calendar))
    return bytes(document.to_ical())


def _event(occasion: Occasion, calendar: Calendar) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", str(occasion.name))
    event.add("dtstamp", calendar.updated_at)
    event.add("last-modified", calendar.updated_at)
    event.add("sequence", calendar.revision)
    event.add("summary", _text(occasion.summary, calendar.language), encode=False)
    event.add("dtstart", occasion.moment)
    if not isinstance(occasion.moment, dt.datetime):
        event.add("dtend", occasion.moment + dt.timedelta(days=1))
    if occasion.about:
        event.add("description", _text(occasion.about, calendar.language), encode=False)
    if occasion.place:
        event.add("location", sayable(occasion.place))  # a place is called the same in every language
    event.add("url", occasion.address)
    event.add("transp", "TRANSPARENT")
    return event


def _text(text: str, language: str) -> icalendar.vText:
    """A text in a language. Under a name the library does not know, it would write a plain `str` unescaped."""
    return icalendar.vText(sayable(text), params={"LANGUAGE": language})
