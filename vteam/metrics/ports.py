"""Which private port is whose: one number in the settings, the next ones for the other roles."""

from collections.abc import Iterable

from vteam import settings

ROLES = ("site", "edge", "jobs")


def port_of(role: str) -> int | None:
    """The number of a role's private port; None while VTEAM_METRICS_PORT opens none."""
    return settings.METRICS_PORT + ROLES.index(role) if settings.METRICS_PORT else None


def private_ports(roles: Iterable[str]) -> dict[str, int]:
    """The private ports these roles will open, by what to change when one is taken."""
    return {f"VTEAM_METRICS_PORT ({role})": port for role in roles if (port := port_of(role)) is not None}
