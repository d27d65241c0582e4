/**
 * Receipts of a direct passing: a key of this page's own, made anew each time, signs how far it came (Ed25519). WebCrypto
 * where the browser has it; @noble/ed25519 where it has not, as on a page over plain http.
 */
import * as ed25519 from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";

import { base64 } from "./pieces.js";

/** @typedef {import("./pieces.js").Pieces} Pieces */
/** @typedef {{ public: string, sign: (text: string) => Promise<string> }} Signer `public` and signatures in base64 */

/** @returns {Promise<Signer>} */
export async function newSigner() {
  return (await webCryptoSigner().catch(() => null)) ?? ownSigner();
}

/** @returns {Promise<Signer>} */
async function webCryptoSigner() {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    public: base64(raw),
    sign: async (text) => base64(new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text)))),
  };
}

/** @returns {Signer} */
function ownSigner() {
  ed25519.hashes.sha512 = sha512;
  const secret = ed25519.utils.randomSecretKey();
  return {
    public: base64(ed25519.getPublicKey(secret)),
    sign: async (text) => base64(ed25519.sign(new TextEncoder().encode(text), secret)),
  };
}

/**
 * The text both ends sign, word for word as the edge works it out (channels/swarm/receipts.py).
 *
 * @param {{ id: string, role: "seeder" | "listener", pieces: Pieces, start: number, stop: number }} what
 */
export async function receiptText({ id, role, pieces, start, stop }) {
  const sum = await pieces.sumOf(start, stop);
  return `vteam receipt 1\n${id}\n${role}\n${start} ${stop}\n${pieces.bytesBetween(start, stop)}\n${sum}`;
}
