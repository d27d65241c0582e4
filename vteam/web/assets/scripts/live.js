/**
 * Makes a change seen: points count up once, a fan who changed places slides there. Only after htmx brought
 * something new, never under `prefers-reduced-motion`, never while the page is out of sight.
 *
 * Markup inside the live part: `[data-count]` (a whole number) and `[data-place]` (who a rank row is of).
 */

const COUNT_MS = 700;
const SLIDE_MS = 450;

/** @typedef {{ counts: Map<string, number>, places: Map<string, number> }} Picture */

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** What the live part shows before it is replaced. */
function picture() {
  /** @type {Picture} */
  const seen = { counts: new Map(), places: new Map() };
  for (const element of pieces("[data-count]")) seen.counts.set(element.id, Number(element.dataset.count));
  for (const element of pieces("[data-place]")) seen.places.set(element.dataset.place ?? "", element.getBoundingClientRect().top);
  return seen;
}

/** @returns {HTMLElement[]} */
const pieces = (/** @type {string} */ selector) => Array.from(document.querySelectorAll(selector));

/** A whole number as the page writes it: thousands apart by a no-break space. */
const written = (/** @type {number} */ number) => String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, "\u00a0");

function countUp(/** @type {HTMLElement} */ element, /** @type {number} */ from) {
  const to = Number(element.dataset.count);
  const begun = performance.now();
  const step = () => {
    const share = Math.min(1, (performance.now() - begun) / COUNT_MS);
    element.textContent = written(from + (to - from) * (1 - (1 - share) ** 3));
    if (share < 1 && element.isConnected) requestAnimationFrame(step);
  };
  step();
}

function slide(/** @type {HTMLElement} */ row, /** @type {number} */ from) {
  const way = from - row.getBoundingClientRect().top;
  if (way) row.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { duration: SLIDE_MS, easing: "ease-out" });
}

function showChange(/** @type {Picture} */ before) {
  for (const element of pieces("[data-count]")) {
    const from = before.counts.get(element.id);
    if (from !== undefined && from !== Number(element.dataset.count)) countUp(element, from);
  }
  for (const row of pieces("[data-place]")) {
    const from = before.places.get(row.dataset.place ?? "");
    if (from !== undefined) slide(row, from);
  }
}

/** Follows htmx; a page out of sight asks nothing. */
export function startLive() {
  /** @type {Picture | null} */
  let before = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.visibilityState === "hidden") event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", () => {
    before = picture();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (before && !still()) showChange(before);
    before = null;
  });
}
