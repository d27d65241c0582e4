/**
 * Says once that a person came: after they stayed a while *and* did something themselves. No cookie, nothing
 * read from the device; the token is good once and is of this page alone.
 *
 * Markup: one element with `data-arrival` (where to post), `data-token` and `data-dwell` (seconds in sight).
 * A scroll made by a script, a preview or a scanner is no act; pressing, typing, wheeling, dragging and
 * playing are.
 */

const ACTS = ["pointerdown", "keydown", "wheel", "touchmove", "vteam:played"];

/** Resolves when the page has been in sight for `seconds` in all. */
function seenFor(/** @type {number} */ seconds) {
  return new Promise((resolve) => {
    let left = seconds * 1000;
    let since = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const look = () => {
      clearTimeout(timer);
      if (since) left -= performance.now() - since;
      since = document.visibilityState === "visible" ? performance.now() : 0;
      if (since) timer = setTimeout(() => resolve(undefined), Math.max(0, left));
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}

/**
 * Resolves at the first thing a person does here, with what it was: "played" or "stayed".
 *
 * @returns {Promise<string>}
 */
function firstAct() {
  return new Promise((resolve) => {
    const done = (/** @type {Event} */ event) => {
      if (!event.isTrusted && event.type !== "vteam:played") return;
      for (const act of ACTS) document.removeEventListener(act, done);
      resolve(event.type === "vteam:played" ? "played" : "stayed");
    };
    for (const act of ACTS) document.addEventListener(act, done, { passive: true });
  });
}

/** Waits for both, then posts; a network that fails is tried again twice. */
export async function startArrival() {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-arrival]"));
  const { arrival, token, dwell } = place?.dataset ?? {};
  if (!arrival || !token) return;
  const [, act] = await Promise.all([seenFor(Number(dwell) || 0), firstAct()]);
  const body = new URLSearchParams({ token, act });
  for (let wait = 2000; wait <= 8000; wait *= 2) {
    const answered = await fetch(arrival, { method: "POST", body, keepalive: true }).catch(() => null);
    if (answered && answered.status < 500) return;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
