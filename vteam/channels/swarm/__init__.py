"""Passing on: a title leaves a fan's open page for a listener's, and what was seen of it becomes evidence."""
