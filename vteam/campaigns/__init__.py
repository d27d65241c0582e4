"""What organisers edit: the campaign, its titles, missions and prizes, all of it in one campaign file."""
