"""The three processes of an installation: starting each in its role, watching them, stopping them together."""

from enum import StrEnum


class RoleName(StrEnum):
    """What a process of ours can be, in the order they are started."""

    SITE = "site"
    EDGE = "edge"
    JOBS = "jobs"
