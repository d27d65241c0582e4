"""Composes and renders the three titles of the demo campaign, and prints its cover.

Everything is computed from the scores in `scores/`: no recording, no sample, no network. The same
code and the same libraries give the same sound; nothing here reads a clock or an unseeded source of chance.
"""
