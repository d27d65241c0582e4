/**
 * Pieces and blocks, as the edge has them (channels/swarm/pieces.py, passing.py): a block travels behind twelve bytes
 * that say whose it is, of which piece, and where in it.
 */
import { sha256 } from "@noble/hashes/sha2.js";

export const BLOCK_BYTES = 16 * 1024;
const STEP_BYTES = 512 * 1024;
const HEAD_BYTES = 12;
const HASH_BYTES = 32;

export class Pieces {
  /** @param {{ size: number, length: number, hashes: string }} given as the site gave it with the ticket */
  constructor({ size, length, hashes }) {
    this.size = size;
    this.length = length;
    this.hashes = bytesFrom(hashes);
    this.count = Math.ceil(size / length);
    /** Between two receipts. */
    this.step = Math.max(1, Math.floor(STEP_BYTES / length));
  }

  bytesOf(/** @type {number} */ piece) {
    return Math.min(this.length, this.size - piece * this.length);
  }

  bytesBetween(/** @type {number} */ start, /** @type {number} */ stop) {
    return Math.max(0, Math.min(stop * this.length, this.size) - start * this.length);
  }

  /** Whether `bytes` are that piece. */
  async isRight(/** @type {number} */ piece, /** @type {Uint8Array<ArrayBuffer>} */ bytes) {
    const wanted = this.hashes.subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES);
    const hash = await hashOf(bytes);
    return bytes.length === this.bytesOf(piece) && hash.every((byte, i) => byte === wanted[i]);
  }

  /** One hash, in hex, over the hashes of these pieces: what a receipt names. */
  async sumOf(/** @type {number} */ start, /** @type {number} */ stop) {
    return hex(await hashOf(this.hashes.slice(start * HASH_BYTES, stop * HASH_BYTES)));
  }

  /** What tells this copy from another. */
  async name() {
    return this.sumOf(0, this.count);
  }

  /** Whether both ends sign a receipt when so many pieces are there. */
  isStep(/** @type {number} */ start, /** @type {number} */ stop) {
    return stop === this.count || (stop - start) % this.step === 0;
  }
}

/** SHA-256; a page on plain http has no WebCrypto. */
export async function hashOf(/** @type {Uint8Array<ArrayBuffer>} */ bytes) {
  return globalThis.crypto?.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : sha256(bytes);
}

/** The blocks of a piece, each behind its twelve bytes. */
export function* blocksOf(/** @type {number} */ number, /** @type {number} */ piece, /** @type {Uint8Array} */ bytes) {
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const part = bytes.subarray(at, at + BLOCK_BYTES);
    const frame = new Uint8Array(HEAD_BYTES + part.length);
    const head = new DataView(frame.buffer);
    [number, piece, at].forEach((value, i) => head.setUint32(4 * i, value));
    frame.set(part, HEAD_BYTES);
    yield frame.buffer;
  }
}

/** A block's piece, place and bytes. */
export function blockIn(/** @type {ArrayBuffer} */ frame) {
  const head = new DataView(frame);
  return { piece: head.getUint32(4), offset: head.getUint32(8), bytes: new Uint8Array(frame, HEAD_BYTES) };
}

export const hex = (/** @type {Uint8Array} */ bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const base64 = (/** @type {Uint8Array} */ bytes) => btoa(String.fromCharCode(...bytes));

/** @returns {Uint8Array<ArrayBuffer>} */
export const bytesFrom = (/** @type {string} */ text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** What is known before the site said more. */
export const NONE = new Pieces({ size: 0, length: 1, hashes: "" });
