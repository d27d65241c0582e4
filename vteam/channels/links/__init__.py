"""Shares: a fan's short link per place, the redirect behind it, and the people who arrive."""
