/**
 * The fan's end: this open page is the computer a title leaves from. Its copy is fetched once and kept in the browser;
 * what listeners ask for is sent, straight or through the relay, until the fan, their limit, the artist or the season
 * says stop.
 */
import { Direct, canBeDirect } from "./direct.js";
import { browserName, keep, kept, remember, remembered } from "./keeping.js";
import { NONE, Pieces, blocksOf } from "./pieces.js";
import { newSigner, receiptText } from "./receipts.js";
import { Showing, ticketFrom } from "./showing.js";
import { Talk, again, rest } from "./talk.js";

/** @typedef {import("./talk.js").Message} Message */
/**
 * One listener: `next` is the piece they may ask for next, `sent` how far what was sent reaches, `got` how far they say it
 * came.
 *
 * @typedef {{ met: Message, line: Element, next: number, sent: number, got: number, sending: Promise<unknown>, direct?: Direct }} Passing
 */
const FINAL = new Set(["withdrawn", "season", "full"]);
const MEGABYTE = 1_000_000;

export class Seeder {
  /** @type {Talk | undefined} */
  #talk;
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  #copy;
  /** @type {Map<number, Passing>} */
  #passings = new Map();
  #sent = Number(remembered("sent")) || 0;
  #sentHere = 0;
  #tries = 0;
  #epoch = 0;
  #stopped = true;
  /** @type {WakeLockSentinel | null | undefined} */
  #awake;
  pieces = NONE;

  constructor(/** @type {HTMLElement} */ place) {
    this.showing = new Showing(place);
    this.data = place.dataset;
    this.ended = `ended/${this.data.keep}`;
    this.limit = /** @type {HTMLSelectElement} */ (this.showing.one("[data-limit]"));
    this.direct = /** @type {HTMLInputElement} */ (this.showing.one("[data-direct]"));
    this.limit.value = remembered("limit") || "0";
    this.direct.checked = remembered("direct") === "yes" && canBeDirect();
    this.direct.disabled = !canBeDirect();
  }

  /** Makes the page's buttons work and begins. */
  begin() {
    this.showing.on("stop", () => this.#stop("stopped"));
    this.showing.on("start", () => {
      this.#sentHere = 0;
      remember(this.ended, "", "tab");
      void this.start();
    });
    this.limit.addEventListener("change", () => {
      remember("limit", this.limit.value);
      this.#mind();
    });
    this.direct.addEventListener("change", () => {
      remember("direct", this.direct.checked ? "yes" : "no");
      if (!this.#stopped && !this.#passings.size) void this.start();
    });
    document.addEventListener("visibilitychange", () => !this.#stopped && void this.#stayAwake());
    this.#tellSent();
    // Stopped, it stays so over a reload of this tab; the fan begins it again.
    const ended = remembered(this.ended, "tab");
    if (ended) this.#stop(ended);
    else void this.start();
  }

  /** Begins anew: whatever was under way of an earlier beginning ends. */
  async start() {
    const epoch = this.#anew();
    this.#stopped = false;
    this.#buttons();
    const given = await ticketFrom(this.data.ticket ?? "", browserName());
    if (epoch !== this.#epoch) return;
    if (given.why === "again") return this.#gone();
    if (given.why) return this.#stop(FINAL.has(given.why) ? given.why : "trouble");
    this.given = given;
    this.pieces = new Pieces(given);
    try {
      this.#copy ??= await this.#fetched();
      this.signer = await newSigner();
    } catch (fault) {
      console.info("the copy did not come", fault);
      if (epoch === this.#epoch) await this.#gone();
      return;
    }
    if (epoch !== this.#epoch) return;
    this.#come(epoch);
    void this.#stayAwake();
  }

  #anew() {
    this.#talk?.end();
    for (const passing of [...this.#passings.values()]) this.#end(passing, "[data-broken-words]");
    return ++this.#epoch;
  }

  #come(/** @type {number} */ epoch) {
    const hello = { ticket: this.given.ticket, key: this.signer?.public, direct: this.direct.checked };
    this.#talk = new Talk(this.given.socket, hello, {
      heard: (message) => epoch === this.#epoch && this.#heard(message),
      block: () => undefined,
      gone: () => epoch === this.#epoch && void this.#gone(),
    });
  }

  /**
   * The fan's own copy: from this browser where it is kept and right, else from the site, once.
   *
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async #fetched() {
    const pieces = this.pieces;
    const name = `copy/${this.data.keep}/${await pieces.name()}`;
    const before = await kept(name);
    if (before?.length === pieces.size) return before;
    const bytes = await this.#download(pieces.size);
    for (let piece = 0; piece < pieces.count; piece++) {
      if (!(await pieces.isRight(piece, pieceOf(bytes, pieces, piece)))) throw new Error("this is another copy");
    }
    await keep(name, bytes);
    return bytes;
  }

  async #download(/** @type {number} */ size) {
    this.showing.show("loading");
    const answer = await fetch(this.data.copy ?? "");
    if (!answer.ok || !answer.body) throw new Error(`the copy was not given: ${answer.status}`);
    const bytes = new Uint8Array(size);
    const reader = answer.body.getReader();
    for (let at = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return bytes;
      if (at + value.length > size) throw new Error("this is another copy");
      bytes.set(value, at);
      at += value.length;
      this.showing.progress(at / size);
    }
  }

  // What the edge says ------------------------------------------------------------------------------------------

  #heard(/** @type {Message} */ message) {
    if (message.now === "open") {
      this.#tries = 0;
      this.showing.show("open");
    }
    if (message.now === "closed") return this.#stop(message.why);
    if (message.now === "met") return this.#meet(message);
    const passing = this.#passings.get(message.number);
    if (!passing) return;
    if (message.now === "signal") void passing.direct?.hear(message.data);
    if (message.now === "relay") {
      passing.direct?.end();
      passing.next = passing.sent = passing.got = message.from;
    }
    if (message.now === "want") this.#send(passing, message.piece, (frame) => this.#talk?.pass(frame) ?? Promise.resolve(false));
    if (message.now === "came") this.showing.progress(message.pieces / this.pieces.count, passing.line);
    if (message.now === "whole") this.#whole(passing, message.counted);
    if (message.now === "parted") this.#end(passing, message.why === "left" ? "[data-left-words]" : "[data-broken-words]");
  }

  #meet(/** @type {Message} */ met) {
    const template = /** @type {HTMLTemplateElement} */ (this.showing.one("[data-thread]"));
    const line = /** @type {Element} */ (template.content.firstElementChild).cloneNode(true);
    /** @type {Passing} */
    const passing = { met, line: /** @type {Element} */ (line), next: met.from, sent: met.from, got: met.from, sending: Promise.resolve() };
    this.showing.one("[data-threads]").prepend(line);
    this.showing.progress(met.from / this.pieces.count, passing.line);
    this.#passings.set(met.number, passing);
    if (met.direct) passing.direct = this.#straight(passing);
  }

  #straight(/** @type {Passing} */ passing) {
    const { number } = passing.met;
    return new Direct({
      ice: this.given.ice,
      offers: false,
      signal: (data) => this.#talk?.say({ do: "signal", number, data }),
      ears: {
        opened: () => undefined,
        said: (message) => {
          if (this.#mayWant(passing, message.want)) this.#send(passing, message.want, (frame) => passing.direct?.pass(frame) ?? Promise.resolve(false));
          if (typeof message.got === "number") this.#got(passing, message.got);
        },
        block: () => undefined,
        closed: () => undefined,
      },
    });
  }

  /** The other device asks for pieces in order, each once and few ahead: nobody can make this one send without end. */
  #mayWant(/** @type {Passing} */ passing, /** @type {unknown} */ piece) {
    return piece === passing.next && passing.next - passing.got < passing.met.ahead;
  }

  /** A piece to one listener, after what was asked before. */
  #send(/** @type {Passing} */ passing, /** @type {number} */ piece, /** @type {(frame: ArrayBuffer) => Promise<boolean>} */ pass) {
    passing.next = piece + 1;
    passing.sending = passing.sending.then(async () => {
      if (this.#stopped || !this.#copy || piece < 0 || piece >= this.pieces.count) return;
      const bytes = pieceOf(this.#copy, this.pieces, piece);
      for (const frame of blocksOf(passing.met.number, piece, bytes)) {
        if (!(await pass(frame))) return;
      }
      passing.sent = piece + 1;
      this.#sent += bytes.length;
      this.#sentHere += bytes.length;
      remember("sent", String(this.#sent));
      this.#tellSent();
      this.#mind();
    });
  }

  #got(/** @type {Passing} */ passing, /** @type {number} */ stop) {
    if (stop <= passing.got || stop > passing.next) return;
    passing.got = stop;
    passing.sending = passing.sending.then(() => this.#sign(passing, stop));
  }

  /** Signs for what was sent and came, and for nothing else. */
  async #sign(/** @type {Passing} */ passing, /** @type {number} */ stop) {
    if (stop > passing.sent) return;
    const { id, number, from: start } = passing.met;
    const pieces = this.pieces;
    this.showing.progress(stop / pieces.count, passing.line);
    if (!pieces.isStep(start, stop)) return;
    const text = await receiptText({ id, role: "seeder", pieces, start, stop });
    this.#talk?.say({ do: "receipt", number, pieces: stop, signature: await this.signer?.sign(text) });
  }

  #whole(/** @type {Passing} */ passing, /** @type {boolean} */ counted) {
    this.#end(passing, counted ? "[data-done-words]" : "[data-lost-words]");
    this.showing.progress(1, passing.line);
    const time = passing.line.querySelector("time");
    if (time) time.textContent = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    document.body.dispatchEvent(new CustomEvent("vteam:passed"));
  }

  #end(/** @type {Passing} */ passing, /** @type {string} */ words) {
    passing.direct?.end();
    this.#passings.delete(passing.met.number);
    for (const element of passing.line.querySelectorAll("[data-words]")) /** @type {HTMLElement} */ (element).hidden = true;
    for (const element of passing.line.querySelectorAll(words)) /** @type {HTMLElement} */ (element).hidden = false;
    passing.line.classList.add("thread--over");
  }

  // Limits and the end ------------------------------------------------------------------------------------------

  #tellSent() {
    this.showing.one("[data-sent]").textContent = (this.#sent / MEGABYTE).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
  }

  /** The fan's limit is for this page, from when it was opened. */
  #mind() {
    const most = Number(this.limit.value) * MEGABYTE;
    if (most && this.#sentHere >= most && !this.#stopped) this.#stop("limit");
  }

  async #stayAwake() {
    if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
    await this.#awake?.release().catch(() => undefined);
    this.#awake = await navigator.wakeLock.request("screen").catch(() => null);
    this.showing.one("[data-awake]").hidden = !this.#awake;
  }

  #stop(/** @type {string} */ why) {
    this.#stopped = true;
    this.#anew();
    void this.#awake?.release().catch(() => undefined);
    if (why === "stopped" || why === "limit") remember(this.ended, why, "tab");
    this.showing.show(why);
    this.#buttons();
  }

  #buttons() {
    const again = ["stopped", "limit", "trouble"].includes(this.showing.now) && this.#stopped;
    this.showing.one('[data-do="start"]').hidden = !again;
    this.showing.one('[data-do="stop"]').hidden = this.#stopped;
    this.showing.one("[data-qr]").classList.toggle("passing__qr--off", this.#stopped);
  }

  async #gone() {
    if (this.#stopped) return;
    const epoch = this.#anew();
    this.showing.show("away");
    await rest(again(this.#tries++));
    if (epoch === this.#epoch) await this.start();
  }
}

/** @returns {Uint8Array<ArrayBuffer>} */
const pieceOf = (/** @type {Uint8Array<ArrayBuffer>} */ bytes, /** @type {Pieces} */ pieces, /** @type {number} */ piece) =>
  bytes.subarray(piece * pieces.length, piece * pieces.length + pieces.bytesOf(piece));
