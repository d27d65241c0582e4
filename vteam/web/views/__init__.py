"""Pages: each view parses, authorises, calls one service and answers."""
