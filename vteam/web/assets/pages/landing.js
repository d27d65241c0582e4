/** Landing page: play, and say once that a person came. */
import { startArrival } from "../scripts/arrival.js";
import { startPlayers } from "../scripts/play.js";

startPlayers();
startArrival();
