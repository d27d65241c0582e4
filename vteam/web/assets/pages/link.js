/** One link: share sheet and copy. */
import { startSharing } from "../scripts/share.js";

startSharing();
