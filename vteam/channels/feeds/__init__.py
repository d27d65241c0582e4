"""Feeds: a campaign's news as Atom and JSON Feed, its season as a calendar; pulled by whoever likes."""
