/**
 * What a door's phone remembers for when there is no network: its list of hashes, and whom it let in meanwhile. In the
 * browser's own database where there is one, else as long as the page is open.
 *
 * @typedef {{ door: number, campaign: number, keys: string[], from: number, tickets: [string, number][] }} Known
 * @typedef {{ scan: string, hash: string, at: number }} LetIn
 */
import { createStore, del, get, set } from "idb-keyval";

export class Memory {
  constructor(/** @type {number} */ door) {
    this.door = door;
    /** @type {Known | null} */
    this.known = null;
    /** @type {Map<string, boolean>} whether somebody is in, by hash */
    this.tickets = new Map();
    /** @type {LetIn[]} */
    this.waiting = [];
    this.store = typeof indexedDB === "object" ? createStore("vteam-door", "door") : null;
  }

  /** What was kept before this page was opened, if it was of this door. */
  async recall() {
    if (!this.store) return;
    this.waiting = (await get(`waiting-${this.door}`, this.store)) ?? [];
    const known = /** @type {Known | undefined} */ (await get("known", this.store));
    if (known?.door === this.door) this.learn(known);
  }

  /** A list of the server's; whoever waits to be told to it is in besides. */
  learn(/** @type {Known} */ known) {
    this.known = known;
    this.tickets = new Map(known.tickets.map(([hash, isIn]) => [hash, Boolean(isIn)]));
    for (const { hash } of this.waiting) this.tickets.set(hash, true);
    if (this.store) void set("known", known, this.store);
  }

  /** Somebody was let in with this ticket, by the server. */
  isIn(/** @type {string} */ hash) {
    this.tickets.set(hash, true);
  }

  /** Somebody was let in without network: kept until it is told. */
  async letIn(/** @type {LetIn} */ one) {
    this.tickets.set(one.hash, true);
    this.waiting.push(one);
    await this.keepWaiting();
  }

  /** These were told. */
  async told(/** @type {LetIn[]} */ some) {
    this.waiting = this.waiting.filter((one) => !some.includes(one));
    await this.keepWaiting();
  }

  async keepWaiting() {
    if (this.store) await set(`waiting-${this.door}`, this.waiting, this.store);
  }

  /** Nothing of this door stays here but whom it has not told of yet. */
  async forget() {
    if (this.store) await del("known", this.store);
  }
}
