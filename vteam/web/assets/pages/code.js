/** Code page: help with the six digits. */
import { startCode } from "../scripts/code.js";

startCode();
