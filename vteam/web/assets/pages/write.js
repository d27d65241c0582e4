/** Writing: how long it is, as it is typed. */
import { startCounting } from "../scripts/count.js";

startCounting();
