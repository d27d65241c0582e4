/** Shows one of a page's parts at a time: the elements that carry `data-show`, and beside them `data-show-too`. */

export class Showing {
  constructor(/** @type {HTMLElement} */ place) {
    this.place = place;
    this.now = "";
  }

  show(/** @type {string} */ part) {
    this.now = part;
    for (const element of this.all("[data-show]")) element.hidden = element.dataset.show !== part;
    for (const element of this.all("[data-show-too]")) element.hidden = !(element.dataset.showToo ?? "").split(" ").includes(part);
  }

  /** How far something is, from 0 to 1, in words and as a line. */
  progress(/** @type {number} */ share, /** @type {ParentNode} */ within = this.place) {
    for (const element of all("[data-percent]", within)) element.textContent = `${Math.floor(share * 100)} %`;
    for (const element of all("[data-done]", within)) element.style.setProperty("--done", String(share));
  }

  /** @returns {HTMLElement[]} */
  all(/** @type {string} */ selector) {
    return all(selector, this.place);
  }

  one(/** @type {string} */ selector) {
    return this.all(selector)[0];
  }

  /** Calls `act` when a button with `data-do` is pressed. */
  on(/** @type {string} */ name, /** @type {() => void} */ act) {
    for (const button of this.all(`[data-do="${name}"]`)) button.addEventListener("click", act);
  }
}

/** @returns {HTMLElement[]} */
const all = (/** @type {string} */ selector, /** @type {ParentNode} */ within) => Array.from(within.querySelectorAll(selector));

/**
 * Asks for a ticket: what came back, or why not. "again": nobody could answer just now.
 *
 * @returns {Promise<any>}
 */
export async function ticketFrom(/** @type {string} */ address, /** @type {string} */ browser) {
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams({ browser }) });
    // Whoever was signed in is not any more: the page leads to the door.
    if (answer.redirected) location.reload();
    const content = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    return content.ticket ? content : { why: content.why ?? (answer.redirected || answer.status < 500 ? "trouble" : "again") };
  } catch {
    return { why: "again" };
  }
}
