/** Getting a title from a fan's page: loaded when somebody asks for it (scripts/getting.js). */
import { Listener, canListen } from "../scripts/swarm/listener.js";
import { Showing } from "../scripts/swarm/showing.js";

/** Begins; `direct`: the person chose the straight way, and knows what it shows. */
export function get(/** @type {HTMLElement} */ place, /** @type {boolean} */ direct) {
  const showing = new Showing(place);
  if (!canListen()) return showing.show("unable");
  const listener = new Listener(place, direct);
  showing.on("again", () => void listener.start());
  void listener.start();
}
