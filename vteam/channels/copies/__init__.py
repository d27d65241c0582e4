"""Titles on their way to people: heard here, or kept as a fan's personal copy. Asks the gate each time."""
