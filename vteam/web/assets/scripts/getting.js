/**
 * Offers to get a title from the page of the fan who shares it. What does that is loaded when a button is pressed.
 *
 * Markup: elements with `data-getting`, `data-module` (the script's address), buttons `[data-do=relay]` and
 * `[data-do=direct]`, the latter inside `[data-can-direct]`.
 */
export function offerGetting() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-getting]"))) {
    place.hidden = false;
    const straight = /** @type {HTMLElement} */ (place.querySelector("[data-can-direct]"));
    straight.hidden = typeof RTCPeerConnection !== "function";
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (place.querySelectorAll("[data-do=relay], [data-do=direct]"))) {
      button.addEventListener("click", () => begin(place, button));
    }
  }
}

async function begin(/** @type {HTMLElement} */ place, /** @type {HTMLButtonElement} */ button) {
  button.disabled = true;
  try {
    const { get } = await import(/** @type {string} */ (place.dataset.module));
    get(place, button.dataset.do === "direct");
  } catch {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-show]"))) part.hidden = part.dataset.show !== "unloaded";
  }
}
