"""The demo: a complete campaign put into an empty data folder, through the same services everybody uses."""
