/** The page a title leaves from. */
import { Seeder } from "../scripts/swarm/seeder.js";

const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-seeder]"));
if (place) new Seeder(place).begin();
