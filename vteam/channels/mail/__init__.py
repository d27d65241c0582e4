"""Mail: an outbox services write to, and the one place, run by `jobs`, that hands messages over."""
