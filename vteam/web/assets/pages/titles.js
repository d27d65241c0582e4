/** My titles: play. */
import { startPlayers } from "../scripts/play.js";

startPlayers();
