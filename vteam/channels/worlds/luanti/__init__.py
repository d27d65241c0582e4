"""The kiosk for Luanti (Minetest): the mod is in `vteam/`, its pictures are drawn by `textures.py`."""
