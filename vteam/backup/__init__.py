"""Backups: one file with everything but the keys, made while all runs, and put back whole or not at all.

`archive` is the file; `sqlite` and `postgresql` know how their database is copied and replaced; `making` and
`restoring` are what the commands call.
"""
