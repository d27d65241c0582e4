/**
 * A door's page: what the camera sees is asked of the server, and answered by this phone's own list where no answer comes
 * within a moment. Whom the phone lets in by itself is told to the server once there is network again.
 *
 * Markup: `.door__page` with the addresses in its data, `[data-camera]`, `#said`, a `template[data-said=...]` for each
 * thing the phone may say by itself, `[data-trouble=...]`, `[data-waiting]`. On the page that asks for a code,
 * `[data-telling]`: what another door's phone did is told from there too.
 */
import { watch } from "./camera.js";
import { hashOf, isSigned, readCode } from "./code.js";
import { Memory } from "./memory.js";

const ANSWER_MS = 900;
const LIST_MS = 20_000;
const TELL_MS = 5_000;
const LEARN_MS = 60_000;
const AT_ONCE = 100;
const NO_GOOD = ["in", "already_in", "given_on", "taken_back"];

const one = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const trouble = (/** @type {string} */ which, shown = true) => { one(`[data-trouble=${which}]`).hidden = !shown; };
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const htmx = () => /** @type {any} */ (window).htmx;

/** Begins, where the page is a door's, or asks for a door's code. */
export function startDoor() {
  const page = /** @type {HTMLElement | null} */ (document.querySelector(".door__page"));
  const telling = /** @type {HTMLElement | null} */ (document.querySelector("[data-telling]"));
  if (page && !window.isSecureContext) trouble("insecure");
  else if (page) void new Door(page).start();
  else if (telling) void new Door(telling).onlyTell();
}

class Door {
  constructor(/** @type {HTMLElement} */ page) {
    this.page = page;
    this.memory = new Memory(Number(page.dataset.door));
    /** What was scanned last: the same ticket held there longer is not asked again. */
    this.last = "";
    /** The scan this phone answered by itself last. */
    this.own = "";
    this.busy = false;
    this.telling = false;
    /** The names are looked for again by itself. */
    this.again = false;
  }

  async start() {
    one("[data-camera]").hidden = false;
    one("[data-start]").addEventListener("click", () => void this.look());
    document.body.addEventListener("htmx:afterSwap", (/** @type {any} */ event) => { if (event.detail.target.id === "said") this.heard(); });
    for (const failed of ["htmx:sendError", "htmx:timeout"]) document.body.addEventListener(failed, () => trouble("names"));
    document.body.addEventListener("htmx:afterRequest", (/** @type {any} */ event) => { if (event.detail.successful) trouble("names", false); });
    document.body.addEventListener("htmx:responseError", (/** @type {any} */ event) => { if (event.detail.xhr.status === 403) void this.closed(); });
    // Whoever looks for the next name is done with the last one.
    one("[role=search]").addEventListener("submit", () => { if (!this.again) one("#said").replaceChildren(); });
    one("#said").addEventListener("click", (event) => void this.takeBack(event));
    one("[data-leave]").addEventListener("submit", (event) => void this.leave(event));
    // Where it may not be kept (a private window), the door goes on as long as its page is open.
    navigator.serviceWorker?.register(/** @type {string} */ (this.page.dataset.worker), { scope: this.page.dataset.scope }).catch(() => {});
    await this.memory.recall();
    this.showWaiting();
    this.tellAgain();
    await this.learn();
    setInterval(() => void this.learn(), LEARN_MS);
  }

  /** This phone stands at no door: it tells what it did at one. */
  async onlyTell() {
    await this.memory.recall();
    await this.memory.forget();
    navigator.serviceWorker?.controller?.postMessage("forget");
    this.showWaiting();
    this.tellAgain();
  }

  tellAgain() {
    addEventListener("online", () => void this.tell());
    setInterval(() => void this.tell(), TELL_MS);
    void this.tell();
  }

  async look() {
    const video = /** @type {HTMLVideoElement} */ (one("[data-video]"));
    trouble("no-camera", false);
    try {
      await watch(video, (text) => void this.saw(text));
      video.hidden = false;
      one("[data-start]").hidden = true;
    } catch {
      trouble("no-camera");
    }
  }

  async saw(/** @type {string} */ text) {
    if (this.busy || text === this.last) return;
    this.busy = true;
    this.last = text;
    const scan = random();
    try {
      await this.ask(text, scan);
    } catch {
      await this.decide(text, scan);
    } finally {
      this.busy = false;
    }
  }

  /** What the server says; rejects where nothing comes in time. */
  async ask(/** @type {string} */ code, /** @type {string} */ scan) {
    const body = new URLSearchParams({ code: code.slice(0, 400), scan });
    const answer = await this.fetch("letIn", ANSWER_MS, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (answer.status === 403) return this.closed();
    if (!answer.ok) throw new Error(`the door answered ${answer.status}`);
    const place = one("#said");
    place.innerHTML = await answer.text();
    htmx()?.process(place);
    this.heard();
    htmx()?.trigger(document.body, "told");
  }

  /** What this phone says by itself. */
  async decide(/** @type {string} */ code, /** @type {string} */ scan) {
    const read = readCode(code);
    const hash = read ? hashOf(read.secret) : "";
    const said = this.said(read, hash);
    const { known } = this.memory;
    this.own = scan;
    if (said === "in" && known) await this.memory.letIn({ pass: known.pass, scan, hash, at: Date.now() });
    const template = /** @type {HTMLTemplateElement} */ (one(`template[data-said=${said}]`));
    one("#said").replaceChildren(template.content.cloneNode(true));
    this.felt();
    this.showWaiting();
  }

  said(/** @type {ReturnType<typeof readCode>} */ read, /** @type {string} */ hash) {
    const { known } = this.memory;
    if (!read) return "not_ours";
    const isUsed = this.memory.isUsed(hash);
    if (isUsed) return "already_in";
    if (!known) return "newer"; // no list yet: nobody can tell
    if (isUsed === undefined) return isSigned(read, known.campaign, known.keys) ? "newer" : "not_ours";
    return Date.now() < known.from ? "too_early" : "in";
  }

  /** Something was said, by the camera or by name: remembered for when there is no network. */
  heard() {
    const said = /** @type {HTMLElement | null} */ (document.querySelector("#said [data-became]"));
    const { became = "", hash = "" } = said?.dataset ?? {};
    if (hash && NO_GOOD.includes(became)) this.memory.noteUsed(hash);
    if (said) this.felt();
    if (document.querySelector("#said [data-undone]")) {
      this.last = ""; // the same ticket may be scanned again
      void this.learn(); // and a list asked for now has it as it is
    }
    this.lookAgain();
  }

  /** The names that were found, as they stand now: nobody is let in twice by a button that was left there. */
  lookAgain() {
    const name = /** @type {HTMLInputElement} */ (one("#name"));
    if (!name.value) return;
    this.again = true;
    htmx()?.trigger(one("[role=search]"), "submit");
    this.again = false;
    name.focus({ preventScroll: true });
  }

  /** One short buzz for yes, a long one for anything else: for who does not look. */
  felt() {
    const said = /** @type {HTMLElement | null} */ (document.querySelector("#said [data-became]"));
    navigator.vibrate?.(said?.dataset.became === "in" ? 60 : [200, 80, 200]);
    one("#said").scrollIntoView({ block: "nearest" });
  }

  /** What this phone let in by itself was a mistake: not told yet, or told already. */
  async takeBack(/** @type {Event} */ event) {
    if (!(event.target instanceof Element) || !event.target.closest("[data-take-back]")) return;
    this.last = "";
    if (await this.memory.takeBack(this.own)) one("#said").replaceChildren();
    else htmx()?.ajax("POST", this.page.dataset.undo, { target: "#said", values: { scan: this.own } });
    this.showWaiting();
  }

  async learn() {
    const asked = this.memory.heard;
    try {
      const answer = await this.fetch("known", LIST_MS);
      if (answer.status === 403) return this.closed();
      if (answer.ok) this.memory.learn(await answer.json(), asked);
    } catch {
      // The list it has is good until there is network again.
    }
  }

  /** Tells the server whom this phone let in by itself, door by door. */
  async tell() {
    const [first] = this.memory.waiting;
    if (!first || this.telling) return;
    this.telling = true;
    const some = this.memory.waiting.filter((each) => each.pass === first.pass).slice(0, AT_ONCE);
    try {
      const body = JSON.stringify({ pass: first.pass, scans: some.map(({ scan, hash, at }) => ({ scan, hash, at })) });
      const answer = await this.fetch("merge", LIST_MS, { method: "POST", body, headers: { "Content-Type": "application/json" } });
      // After two days nobody hears it any more; it would wait for ever.
      if (answer.ok || answer.status === 403) await this.memory.told(some);
      this.showWaiting();
      htmx()?.trigger(document.body, "told");
    } catch {
      // Still without network: they wait.
    } finally {
      this.telling = false;
    }
  }

  async fetch(/** @type {"letIn" | "known" | "merge"} */ what, /** @type {number} */ within, /** @type {RequestInit} */ how = {}) {
    const ending = new AbortController();
    const late = setTimeout(() => ending.abort(), within);
    try {
      const answer = await fetch(/** @type {string} */ (this.page.dataset[what]), { ...how, signal: ending.signal });
      const text = await answer.clone().text(); // all of it within that time
      return new Response(text, { status: answer.status });
    } finally {
      clearTimeout(late);
    }
  }

  showWaiting() {
    const { length } = this.memory.waiting;
    (document.querySelector("[data-waiting]") ?? this.page).toggleAttribute("hidden", !length);
    one("[data-count]").textContent = String(length);
  }

  /** Its code is no good any more: nothing of the door stays on this phone but what it has to tell. */
  async closed() {
    await this.memory.forget();
    navigator.serviceWorker?.controller?.postMessage("forget");
    location.reload();
  }

  /** Whom it let in is told first; then nothing of the door stays on this phone. */
  async leave(/** @type {Event} */ event) {
    event.preventDefault();
    if (this.memory.waiting.length) return one("[data-waiting]").scrollIntoView();
    navigator.serviceWorker?.controller?.postMessage("forget");
    await this.memory.forget();
    /** @type {HTMLFormElement} */ (one("[data-leave]")).submit();
  }
}
