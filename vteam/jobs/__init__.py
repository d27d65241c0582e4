"""The reconciliation loop: find what is due, do it. Doing it twice changes nothing."""
