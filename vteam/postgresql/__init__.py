"""Django's PostgreSQL backend, except that nobody waits for ever: see `base`."""
