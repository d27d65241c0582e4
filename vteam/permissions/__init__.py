"""Who may be written to: the gate every message passes, and the budgets of every public door."""
