/** The door of a concert: the camera, and going on without network. */
import { startDoor } from "../scripts/door/door.js";

startDoor();
