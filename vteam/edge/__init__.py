"""The fast process: redirects now, the swarm's doors later; one asyncio application without Django."""
