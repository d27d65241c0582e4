"""Accounts and fans: the only place with names and addresses, every one of them erasable."""
