"""How fast vTeam is beside its peers, and whether it holds: `vteam bench NAME`. Nothing here is timed in the tests.

A module a bench, each with a `run` that gives a `Report`; `command.py` is the command line. What several
need: `report` (what a bench says), `rounds` (interleaved rounds and their medians), `tools` (Debian's peers), `folder`
(a data folder of its own), `season` (books of any size).
"""
