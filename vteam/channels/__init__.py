"""Outside bytes on one side, facts on the other. Channels look alike: learn one, know all."""
