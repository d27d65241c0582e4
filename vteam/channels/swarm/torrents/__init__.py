"""A title for torrent clients: its torrent, the tracker that introduces, and the witness that watches. No Django."""
