"""How much one network may do in a minute (visits that count, answers it gets), in memory only.

Networks stand here in clear text for a minute at most and go nowhere else: not to disk, not to a log.
"""

import logging
from dataclasses import dataclass, field
from typing import ClassVar

NETWORKS_PER_MINUTE_MAX = 100_000

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class MinuteBudget:
    """Counts within a minute; whoever owns it calls `turn` at each minute's end.

    `over`: what is logged of a minute in which something was refused, `%d` of them.
    """

    over: ClassVar[str]
    per_network: int
    networks_max: int = NETWORKS_PER_MINUTE_MAX
    refused: int = 0
    refused_before: int = 0
    _spent: dict[str, int] = field(default_factory=dict)

    def spend(self, network: str) -> bool:
        """Whether this network may once more; of more networks than can be followed none may."""
        spent = self._spent.get(network, 0)
        if spent >= self.per_network or (not spent and len(self._spent) >= self.networks_max):
            self.refused += 1
            return False
        self._spent[network] = spent + 1
        return True

    @property
    def refused_ever(self) -> int:
        """How many were refused, this minute and before."""
        return self.refused_before + self.refused

    def turn(self) -> None:
        """A minute is over: says how many were refused, if any, and begins anew."""
        if self.refused:
            logger.warning(self.over, self.refused)
        self.refused_before, self.refused = self.refused_ever, 0
        self._spent.clear()


@dataclass(slots=True)
class VisitBudget(MinuteBudget):
    """How many visits of one network count in a minute."""

    over: ClassVar[str] = "%d visits did not count: more than one network may make a minute"
