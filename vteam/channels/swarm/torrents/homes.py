"""Where fans' own computers are, across their torrents: what is downloaded there is downloaded by themselves."""

PLACES_MAX = 16
STAYS_US = 24 * 3600 * 1_000_000


class Homes:
    """Places (keyed hashes) by fan, each for a day after it was last seen. Times in µs."""

    def __init__(self) -> None:
        self._of: dict[int, dict[str, int]] = {}

    def here(self, fan: int, place: str, at_us: int) -> None:
        """A computer of the fan's is there."""
        places = self._of.setdefault(fan, {})
        places[place] = at_us
        if len(places) > PLACES_MAX:
            del places[min(places, key=lambda one: places[one])]

    def still_here(self, fan: int, place: str, at_us: int) -> bool:
        """The same again; whether it was known."""
        places = self._of.get(fan)
        if places is None or place not in places:
            return False
        places[place] = at_us
        return True

    def includes(self, fan: int, *places: str) -> bool:
        """Whether one of these is the fan's."""
        found = self._of.get(fan)
        return found is not None and any(place in found for place in places)

    def of(self, fan: int) -> dict[str, int]:
        """A fan's places, and when each was last seen, to be kept."""
        return dict(self._of.get(fan, {}))

    def tidy(self, fan: int, at_us: int) -> None:
        """Forgets where a fan was not seen for a day."""
        places = self._of.get(fan, {})
        for place in [place for place, last_us in places.items() if at_us - last_us > STAYS_US]:
            del places[place]
        if not places:
            self._of.pop(fan, None)

    def __len__(self) -> int:
        return len(self._of)
