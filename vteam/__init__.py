"""vTeam: a fan street-team platform whose every point has a story anyone can check."""
