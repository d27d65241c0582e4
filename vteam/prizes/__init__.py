"""Prizes: who is offered one, draws anybody can do again, and what becomes of each offer until it is honoured."""
