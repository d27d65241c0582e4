/** An operator's page: say that it is being looked, copy records. */
import { startChecking } from "../scripts/check.js";
import { startSharing } from "../scripts/share.js";

startSharing();
startChecking();
