"""The inbox where channels leave facts, and the journal which keeps them in the one order that counts."""
