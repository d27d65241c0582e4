/**
 * A door's page: what the camera sees is asked of the server, and answered by this phone's own list where no answer comes
 * within a moment. Whom the phone lets in by itself is told to the server once there is network again.
 *
 * Markup: `.door__page` with the addresses in its data, `[data-camera]`, `#said`, a `template[data-said=...]` for each
 * thing the phone may say by itself, `[data-trouble=...]`, `[data-waiting]`.
 */
import { watch } from "./camera.js";
import { hashOf, isSigned, readCode } from "./code.js";
import { Memory } from "./memory.js";

const ANSWER_MS = 900;
const TELL_MS = 5_000;
const LEARN_MS = 60_000;
const AT_ONCE = 100;

const one = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const trouble = (/** @type {string} */ which, shown = true) => { one(`[data-trouble=${which}]`).hidden = !shown; };
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Begins, where the page is a door's. */
export function startDoor() {
  const page = /** @type {HTMLElement | null} */ (document.querySelector(".door__page"));
  if (!page) return;
  if (!window.isSecureContext) {
    trouble("insecure");
    return;
  }
  void new Door(page).start();
}

class Door {
  constructor(/** @type {HTMLElement} */ page) {
    this.page = page;
    this.memory = new Memory(Number(page.dataset.door));
    /** What was scanned last: the same ticket held there longer is not asked again. */
    this.last = "";
    this.busy = false;
    this.telling = false;
  }

  async start() {
    const camera = one("[data-camera]");
    camera.hidden = false;
    one("[data-start]").addEventListener("click", () => void this.look());
    // A ticket let in by its name is known to this phone too, and another one may be scanned anew after it.
    document.body.addEventListener("htmx:afterSwap", () => this.heard());
    for (const failed of ["htmx:sendError", "htmx:timeout"]) document.body.addEventListener(failed, () => trouble("names"));
    document.body.addEventListener("htmx:afterRequest", (/** @type {any} */ event) => { if (event.detail.successful) trouble("names", false); });
    document.body.addEventListener("htmx:responseError", (/** @type {any} */ event) => { if (event.detail.xhr.status === 403) location.reload(); });
    one("[data-leave]").addEventListener("submit", (event) => void this.leave(event));
    addEventListener("online", () => void this.tell());
    // Where it may not be kept (a private window), the door goes on as long as its page is open.
    navigator.serviceWorker?.register(/** @type {string} */ (this.page.dataset.worker), { scope: this.page.dataset.scope }).catch(() => {});
    await this.memory.recall();
    this.showWaiting();
    await this.learn();
    setInterval(() => void this.learn(), LEARN_MS);
    setInterval(() => void this.tell(), TELL_MS);
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
    const ending = new AbortController();
    const late = setTimeout(() => ending.abort(), ANSWER_MS);
    try {
      const body = new URLSearchParams({ code: code.slice(0, 400), scan });
      const answer = await fetch(/** @type {string} */ (this.page.dataset.letIn), { method: "POST", body, headers: { "HX-Request": "true" }, signal: ending.signal });
      if (answer.status === 403) return location.reload();
      if (!answer.ok) throw new Error(`the door answered ${answer.status}`);
      this.show(await answer.text());
      const read = readCode(code);
      if (read && this.verdict() === "in") this.memory.isIn(hashOf(read.secret));
      /** @type {any} */ (window).htmx?.trigger(document.body, "told");
    } finally {
      clearTimeout(late);
    }
  }

  /** What this phone says by itself. */
  async decide(/** @type {string} */ code, /** @type {string} */ scan) {
    const read = readCode(code);
    const { known } = this.memory;
    const hash = read ? hashOf(read.secret) : "";
    const isIn = this.memory.tickets.get(hash);
    let said = "not_ours";
    if (read && known && isIn === undefined && isSigned(read, known.campaign, known.keys)) said = "newer";
    else if (isIn !== undefined) said = isIn ? "already_in" : Date.now() < (known?.from ?? 0) ? "too_early" : "in";
    if (said === "in") await this.memory.letIn({ scan, hash, at: Date.now() });
    const template = /** @type {HTMLTemplateElement} */ (one(`template[data-said=${said}]`));
    one("#said").replaceChildren(template.content.cloneNode(true));
    this.felt();
    this.showWaiting();
  }

  show(/** @type {string} */ html) {
    const place = one("#said");
    place.innerHTML = html;
    /** @type {any} */ (window).htmx?.process(place);
    this.felt();
  }

  verdict() {
    return /** @type {HTMLElement | null} */ (document.querySelector("#said [data-became]"))?.dataset.became ?? "";
  }

  /** One short buzz for yes, a long one for anything else: for who does not look. */
  felt() {
    navigator.vibrate?.(this.verdict() === "in" ? 60 : [200, 80, 200]);
    one("#said").scrollIntoView({ block: "nearest" });
  }

  heard() {
    if (document.querySelector("#said .notice")) this.last = ""; // undone: the same ticket may be scanned again
  }

  async learn() {
    try {
      const answer = await fetch(/** @type {string} */ (this.page.dataset.known));
      if (answer.ok) this.memory.learn(await answer.json());
    } catch {
      // The list it has is good until there is network again.
    }
  }

  /** Tells the server whom this phone let in by itself. */
  async tell() {
    const some = this.memory.waiting.slice(0, AT_ONCE);
    if (!some.length || this.telling) return;
    this.telling = true;
    try {
      const answer = await fetch(/** @type {string} */ (this.page.dataset.merge), { method: "POST", body: JSON.stringify({ scans: some }), headers: { "Content-Type": "application/json" } });
      if (!answer.ok) return;
      await this.memory.told(some);
      this.showWaiting();
      /** @type {any} */ (window).htmx?.trigger(document.body, "told");
    } catch {
      // Still without network: they wait.
    } finally {
      this.telling = false;
    }
  }

  showWaiting() {
    const { length } = this.memory.waiting;
    one("[data-waiting]").hidden = !length;
    one("[data-count]").textContent = String(length);
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
