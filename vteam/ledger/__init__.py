"""Points: what became of each fact, the transfers that follow, and the standings kept beside them."""
