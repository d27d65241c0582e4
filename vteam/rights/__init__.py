"""What the artists allow to circulate: an append-only record per title, holder and way, and the gate over it."""
