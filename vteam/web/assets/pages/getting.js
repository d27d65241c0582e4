/** Getting a title from a fan's page: loaded when somebody asks for it (scripts/getting.js). */
import { Listener, canListen } from "../scripts/swarm/listener.js";
import { Showing } from "../scripts/swarm/showing.js";

/** Lets a person choose the way, and begins. */
export function open(/** @type {HTMLElement} */ place) {
  const showing = new Showing(place);
  if (!canListen()) return showing.show("unable");
  const begin = (/** @type {boolean} */ direct) => {
    const listener = new Listener(place, direct);
    showing.on("again", () => void listener.start());
    void listener.start();
  };
  showing.on("relay", () => begin(false));
  showing.on("direct", () => begin(true));
  showing.show("choice");
}
