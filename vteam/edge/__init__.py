"""The fast process: redirects now, the swarm's doors later; one process, without Django."""
