/** Fan home: show what changed. */
import { startLive } from "../scripts/live.js";

startLive();
