/**
 * Offers to get a title from the page of the fan who shares it. What does that is loaded when the button is pressed.
 *
 * Markup: elements with `data-getting`, `data-module` (the script's address) and a button `[data-do=open]`.
 */
export function offerGetting() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-getting]"))) {
    const button = /** @type {HTMLButtonElement} */ (place.querySelector("[data-do=open]"));
    place.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const { open } = await import(/** @type {string} */ (place.dataset.module));
        open(place);
      } catch {
        button.disabled = false; // it was not loaded: press again
      }
    });
  }
}
