/**
 * The listener's end: asks the edge for the fan's page, gets the title piece by piece, straight or through the relay,
 * checks every piece, keeps what came, and at the end gives the file to its listener.
 */
import { Direct, canBeDirect } from "./direct.js";
import { browserName, drop, keep, kept } from "./keeping.js";
import { NONE, Pieces, blockIn } from "./pieces.js";
import { newSigner, receiptText } from "./receipts.js";
import { Showing, ticketFrom } from "./showing.js";
import { Talk, again, rest } from "./talk.js";

/** @typedef {import("./talk.js").Message} Message */
/** @typedef {{ of: string, got: Uint8Array<ArrayBuffer>[], whole: boolean }} Came pieces of the copy with that sum */
const DIRECT_MS = 6_000;
const FULL_MS = 15_000;
const TRIES_MAX = 8;
const SAID = new Set(["withdrawn", "season", "too_many", "elsewhere", "ended"]);

export class Listener {
  /** @type {Talk | undefined} */
  #talk;
  /** @type {Direct | undefined} */
  #direct;
  /** @type {Message | undefined} */
  #met;
  /** @type {Came} */
  #came = { of: "", got: [], whole: false };
  /** @type {Promise<void>} */
  #work = Promise.resolve();
  #asked = 0;
  #relayed = false;
  #tries = 0;
  #epoch = 0;
  #keptAt = 0;
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  #piece;
  #filled = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  pieces = NONE;
  name = "";

  constructor(/** @type {HTMLElement} */ place, /** @type {boolean} */ direct) {
    this.showing = new Showing(place);
    this.data = place.dataset;
    this.direct = direct && canBeDirect();
  }

  /** Begins, or goes on where it broke off. */
  async start() {
    const epoch = ++this.#epoch;
    this.#talk?.end();
    this.showing.show("looking");
    const given = await ticketFrom(this.data.ticket ?? "", browserName());
    if (epoch !== this.#epoch) return;
    if (given.why === "again") return this.#gone();
    if (given.why) return this.#stop(SAID.has(given.why) ? given.why : "trouble");
    this.given = given;
    this.name = `got/${this.data.keep}`;
    this.#came = (await kept(this.name)) ?? { of: "", got: [], whole: false };
    if (this.#came.whole) return this.#give();
    this.signer = await newSigner();
    if (epoch !== this.#epoch) return;
    const { of, got } = this.#came;
    const hello = { ticket: given.ticket, key: this.signer.public, have: got.length, of, direct: this.direct };
    this.#talk = new Talk(given.socket, hello, {
      heard: (message) => {
        this.#tries = 0;
        this.#heard(message);
      },
      block: (frame) => this.#take(frame, true),
      gone: () => this.#gone(),
    });
  }

  #heard(/** @type {Message} */ message) {
    if (message.now === "away" || message.now === "busy") this.showing.show(message.now);
    if (message.now === "met") void this.#meet(message);
    if (message.now === "closed") this.#closed(message.why);
    if (message.number !== this.#met?.number) return;
    if (message.now === "signal") void this.#direct?.hear(message.data);
    if (message.now === "relay") this.#relay(message.from);
    if (message.now === "whole") void this.#work.then(() => this.#whole());
    if (message.now === "parted") this.#parted(message.why);
  }

  // The introduction --------------------------------------------------------------------------------------------

  async #meet(/** @type {Message} */ met) {
    this.#met = met;
    this.pieces = new Pieces(/** @type {any} */ (met));
    const of = await this.pieces.name();
    if (of !== this.#came.of) this.#came = { of, got: [], whole: false };
    if (this.#met !== met) return; // over already
    this.#relayed = false;
    this.#begin(met.from);
    this.#way(met.direct ? "direct" : "relay");
    if (!met.direct) return this.#say({ do: "relay" });
    this.#timer = setTimeout(() => this.#giveUpDirect(), DIRECT_MS);
    this.#direct = new Direct({
      ice: this.given.ice,
      offers: true,
      signal: (data) => this.#say({ do: "signal", data }),
      ears: {
        opened: () => this.#opened(),
        said: () => undefined,
        block: (frame) => this.#take(frame, false),
        closed: () => this.#giveUpDirect(),
      },
    });
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#want();
  }

  /** No straight way, or none any more: everything else comes through the relay. */
  #giveUpDirect() {
    clearTimeout(this.#timer);
    if (!this.#relayed && this.#met && !this.#isWhole()) this.#say({ do: "relay" });
  }

  #relay(/** @type {number} */ from) {
    this.#relayed = true;
    this.#direct?.end();
    this.#way("relay");
    this.#begin(from);
    this.#work = this.#work.then(() => this.#want());
  }

  #begin(/** @type {number} */ from) {
    this.#work = this.#work.then(() => {
      this.#came.got.length = Math.min(this.#came.got.length, from);
      this.#piece = undefined;
    });
    this.#asked = from;
    this.showing.show("crossing");
    this.showing.progress(from / this.pieces.count);
  }

  #way(/** @type {string} */ way) {
    for (const element of this.showing.all("[data-way]")) element.hidden = element.dataset.way !== way;
  }

  // Pieces ------------------------------------------------------------------------------------------------------

  /** Asks for as many pieces as may be under way. */
  #want() {
    const most = Math.min(this.#came.got.length + this.#met?.ahead, this.pieces.count);
    for (; this.#asked < most; this.#asked++) {
      if (this.#relayed) this.#say({ do: "want", piece: this.#asked });
      else this.#direct?.say({ want: this.#asked });
    }
  }

  /** Blocks are taken one after the other, whatever hashing takes. */
  #take(/** @type {ArrayBuffer} */ frame, /** @type {boolean} */ relayed) {
    const { piece, offset, bytes } = blockIn(frame);
    // What came straight before the relay took over comes again through it.
    this.#work = this.#work.then(() => (relayed === this.#relayed ? this.#block(piece, offset, bytes) : undefined)).catch((fault) => {
      console.error(fault);
      this.#stop("trouble");
    });
  }

  async #block(/** @type {number} */ piece, /** @type {number} */ offset, /** @type {Uint8Array} */ bytes) {
    if (piece !== this.#came.got.length) return;
    if (!this.#piece || offset === 0) {
      this.#piece = new Uint8Array(this.pieces.bytesOf(piece));
      this.#filled = 0;
    }
    if (offset !== this.#filled || offset + bytes.length > this.#piece.length) return this.#stop("trouble");
    this.#piece.set(bytes, offset);
    this.#filled += bytes.length;
    if (this.#filled === this.#piece.length) await this.#have(piece, this.#piece);
  }

  async #have(/** @type {number} */ piece, /** @type {Uint8Array<ArrayBuffer>} */ bytes) {
    this.#piece = undefined;
    if (!(await this.pieces.isRight(piece, bytes))) return this.#stop("trouble");
    this.#came.got.push(bytes);
    this.#keepSome();
    this.showing.progress(this.#came.got.length / this.pieces.count);
    if (this.#relayed) this.#say({ do: "got", piece });
    else await this.#sign();
    this.#want();
  }

  /** Kept now and then, for going on after a reload: all of it is written each time. */
  #keepSome() {
    const much = Math.max(this.pieces.step, Math.ceil(this.pieces.count / 8));
    if (this.#came.got.length - this.#keptAt < much) return;
    this.#keptAt = this.#came.got.length;
    void keep(this.name, this.#came);
  }

  async #sign() {
    const { id, from: start } = /** @type {Message} */ (this.#met);
    const stop = this.#came.got.length;
    this.#direct?.say({ got: stop });
    if (!this.pieces.isStep(start, stop)) return;
    const text = await receiptText({ id, role: "listener", pieces: this.pieces, start, stop });
    this.#say({ do: "receipt", pieces: stop, signature: await this.signer?.sign(text) });
  }

  #isWhole() {
    return this.#came.got.length === this.pieces.count;
  }

  // The end -----------------------------------------------------------------------------------------------------

  /** The talk goes on: who has it is told, too, when the artist takes it back. */
  async #whole() {
    this.#met = undefined;
    this.#direct?.end();
    this.#came.whole = true;
    await keep(this.name, this.#came);
    this.#give();
  }

  /** The file, for playing here and for keeping. */
  #give() {
    const address = URL.createObjectURL(new Blob(this.#came.got, { type: "audio/mpeg" }));
    const sound = /** @type {HTMLAudioElement} */ (this.showing.one("[data-sound]"));
    const save = /** @type {HTMLAnchorElement} */ (this.showing.one("[data-save]"));
    sound.src = save.href = address;
    save.download = this.given.file;
    this.showing.show("whole");
    sound.scrollIntoView({ block: "nearest" });
  }

  #parted(/** @type {string} */ why) {
    this.#met = undefined;
    this.#direct?.end();
    void this.#work.then(() => keep(this.name, this.#came));
    if (why !== "left") this.#stop("trouble");
  }

  #closed(/** @type {string} */ why) {
    if (!this.#came.whole) return this.#stop(why);
    this.#talk?.end();
    for (const element of this.showing.all("[data-taken-back]")) element.hidden = why !== "withdrawn";
  }

  async #gone() {
    if (this.#came.whole) return;
    this.#met = undefined;
    this.#direct?.end();
    if (this.#tries >= TRIES_MAX) return this.#stop("trouble");
    const epoch = this.#epoch;
    await this.#work;
    if (this.name) await keep(this.name, this.#came);
    this.showing.show("looking");
    await rest(again(this.#tries++));
    if (epoch === this.#epoch) await this.start();
  }

  #stop(/** @type {string} */ why) {
    clearTimeout(this.#timer);
    const epoch = ++this.#epoch;
    this.#met = undefined;
    this.#talk?.end();
    this.#direct?.end();
    if (why === "withdrawn") void drop(this.name);
    this.showing.show(why === "full" ? "busy" : SAID.has(why) ? why : "trouble");
    if (why === "full") void rest(FULL_MS).then(() => (epoch === this.#epoch ? this.start() : undefined));
  }

  #say(/** @type {Record<string, unknown>} */ message) {
    this.#talk?.say({ number: this.#met?.number, ...message });
  }
}

/** Whether this browser can receive a title at all. */
export const canListen = () => typeof WebSocket === "function" && typeof Blob === "function" && !!globalThis.crypto?.getRandomValues;
