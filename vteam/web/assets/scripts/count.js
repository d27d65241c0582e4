/**
 * Tells how long a text is while it is typed. It cuts nothing off.
 *
 * Markup: `[data-count-of=ID][data-limit]` with a `[data-count]` inside; ID is the field's. Without a script it says how
 * long the text was when the page was made.
 */

/** How many characters the server will count: code points in NFC, without the spaces around the text. */
export const length = (/** @type {string} */ text) => [...text.normalize("NFC").trim()].length;

/** Thousands stand apart by a no-break space, as everywhere on our pages. */
const grouped = (/** @type {number} */ count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u00a0");

/** Counts every field that asks for it, now and whenever it changes. */
export function startCounting() {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-count-of]"))) {
    const field = document.getElementById(line.dataset.countOf ?? ""), told = line.querySelector("[data-count]");
    if (!told || !(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
    const tell = () => {
      const count = length(field.value);
      told.textContent = grouped(count);
      line.classList.toggle("field__count--over", count > Number(line.dataset.limit));
    };
    field.addEventListener("input", tell);
    tell();
  }
}
