/** Campaign page: play. */
import { startPlayers } from "../scripts/play.js";

startPlayers();
