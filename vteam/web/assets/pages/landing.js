/** Landing page: play, get it from the fan, and say once that a person came. */
import { startArrival } from "../scripts/arrival.js";
import { offerGetting } from "../scripts/getting.js";
import { startPlayers } from "../scripts/play.js";

startPlayers();
startArrival();
offerGetting();
