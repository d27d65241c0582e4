"""What may pass through the edge: half a second's worth at once, and then no more than was set."""

from vteam.edge.swarm import RelayBudget


class Clock:
    seconds = 0.0


def budget(clock: Clock) -> RelayBudget:
    return RelayBudget(bytes_per_s=1000, now=lambda: clock.seconds)


def test_half_a_seconds_worth_passes_at_once_and_no_more() -> None:
    relay = budget(Clock())
    assert [relay.spend(250) for _ in range(3)] == [True, True, False]


def test_then_as_much_passes_as_time_goes_by_and_quiet_time_is_not_saved_up() -> None:
    clock = Clock()
    relay = budget(clock)
    assert relay.spend(500)
    clock.seconds += 0.25
    assert [relay.spend(250), relay.spend(1)] == [True, False]
    clock.seconds += 3600
    assert [relay.spend(500), relay.spend(1)] == [True, False]


def test_a_piece_larger_than_that_passes_all_the_same_and_is_waited_for() -> None:
    clock = Clock()
    relay = budget(clock)
    assert relay.spend(2000)
    clock.seconds += 1.9
    assert not relay.spend(2000)
    clock.seconds += 0.1
    assert relay.spend(2000)
