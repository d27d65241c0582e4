/**
 * Keeps the door's page, and what it loads, for when there is no network: a phone that was put away and comes back finds
 * its door. Nothing but that page, which names nobody, and our own built files is kept; `forget` empties it.
 */
const KEPT = "door";
const worker = /** @type {any} */ (self);

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (/** @type {any} */ event) => {
  if (event.data === "forget") event.waitUntil(caches.delete(KEPT));
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const page = new URL(request.url);
  if (request.method !== "GET" || page.origin !== worker.location.origin) return;
  if (request.mode === "navigate" && !page.search && worker.location.pathname === `${page.pathname}/worker.js`) event.respondWith(freshOrKept(request));
  else if (page.pathname.startsWith("/static/") || page.pathname.startsWith("/theme/")) event.respondWith(keptOrFresh(request));
});

async function freshOrKept(/** @type {Request} */ request) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(request, answer.clone());
    else if (answer.status === 403) await caches.delete(KEPT); // the door was closed
    return answer;
  } catch (fault) {
    const before = await kept.match(request, { ignoreVary: true });
    if (before) return before;
    throw fault;
  }
}

async function keptOrFresh(/** @type {Request} */ request) {
  const kept = await caches.open(KEPT);
  const before = await kept.match(request, { ignoreVary: true });
  if (before) return before;
  const answer = await fetch(request);
  if (answer.ok) await kept.put(request, answer.clone());
  return answer;
}
