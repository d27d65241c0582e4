"""The three processes of an installation: starting each in its role, watching them, stopping them together."""
