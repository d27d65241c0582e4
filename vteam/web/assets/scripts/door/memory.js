/**
 * What a door's phone remembers for when there is no network: its list of hashes, what it has heard since, and whom it let
 * in meanwhile. In the browser's own database where there is one that works, else as long as the page is open.
 *
 * @typedef {{ door: number, pass: string, campaign: number, keys: string[], from: number, tickets: [string, number][] }} Known
 * @typedef {{ pass: string, scan: string, hash: string, at: number }} LetIn
 */
import { createStore, del, get, set } from "idb-keyval";

export class Memory {
  constructor(/** @type {number} */ door) {
    this.door = door;
    /** @type {Known | null} */
    this.known = null;
    /** @type {Map<string, boolean>} whether somebody is in, by hash, as the last list has it */
    this.tickets = new Map();
    /** @type {Map<string, number>} tickets that are used or no good, heard since that list was asked for; and when, counted */
    this.used = new Map();
    this.heard = 0;
    /** @type {LetIn[]} whom this phone let in by itself, at whichever door, and has not told yet */
    this.waiting = [];
    this.store = typeof indexedDB === "object" ? createStore("vteam-door", "door") : null;
  }

  /** What was kept before this page was opened. */
  async recall() {
    this.waiting = (await this.kept("waiting")) ?? [];
    const known = /** @type {Known | undefined} */ (await this.kept("known"));
    if (known?.door !== this.door) return;
    this.learn(known, 0);
    for (const hash of /** @type {string[]} */ ((await this.kept("used")) ?? [])) this.noteUsed(hash);
  }

  /** A list of the server's, asked for when so much had been heard: what was heard since then stays. */
  learn(/** @type {Known} */ known, /** @type {number} */ askedAt) {
    this.known = known;
    this.tickets = new Map(known.tickets.map(([hash, isIn]) => [hash, Boolean(isIn)]));
    for (const [hash, when] of this.used) if (when <= askedAt) this.used.delete(hash);
    void this.keep("known", known);
    void this.keepUsed();
  }

  /** Whether somebody is in with a ticket, or it is no good; undefined where this phone knows nothing of it. */
  isUsed(/** @type {string} */ hash) {
    if (this.used.has(hash) || this.waiting.some((one) => one.hash === hash)) return true;
    return this.tickets.get(hash);
  }

  noteUsed(/** @type {string} */ hash) {
    this.used.set(hash, ++this.heard);
    void this.keepUsed();
  }

  /** Somebody was let in without network: kept until it is told. */
  async letIn(/** @type {LetIn} */ one) {
    this.waiting.push(one);
    await this.keep("waiting", this.waiting);
  }

  /** A letting in that was not told yet did not happen. Returns whether there was one. */
  async takeBack(/** @type {string} */ scan) {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((one) => one.scan !== scan);
    await this.keep("waiting", this.waiting);
    return this.waiting.length < before;
  }

  /** These were told. */
  async told(/** @type {LetIn[]} */ some) {
    this.waiting = this.waiting.filter((one) => !some.includes(one));
    for (const { hash } of some) this.noteUsed(hash);
    await this.keep("waiting", this.waiting);
  }

  /** Nothing of this door stays here but whom it has not told of yet. */
  async forget() {
    this.known = null;
    this.tickets.clear();
    this.used.clear();
    if (!this.store) return;
    try {
      await del("known", this.store);
      await del("used", this.store);
    } catch {
      this.store = null;
    }
  }

  keepUsed() {
    return this.keep("used", [...this.used.keys()]);
  }

  async kept(/** @type {string} */ what) {
    try {
      return this.store ? await get(what, this.store) : undefined;
    } catch {
      this.store = null; // a private window: it remembers as long as the page is open
      return undefined;
    }
  }

  async keep(/** @type {string} */ what, /** @type {unknown} */ value) {
    try {
      if (this.store) await set(what, value, this.store);
    } catch {
      this.store = null;
    }
  }
}
