"""Virtual worlds: kiosks in Second Life, OpenSimulator and Luanti, and the door they speak to."""
