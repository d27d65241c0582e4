/**
 * Reads a ticket's code as `vteam/rules/tickets.py` writes it: `VT1`, then in base 32 (RFC 4648) 16 random bytes and their
 * signature. Tickets are known by the SHA-256 of the random bytes.
 */
import * as ed25519 from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

ed25519.hashes.sha512 = sha512;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET_BYTES = 16;
const BYTES = 80;

/** The bytes of a code; null where it is no ticket's. */
export function readCode(/** @type {string} */ scanned) {
  const text = scanned.trim().toUpperCase();
  if (!/^VT1[A-Z2-7]{128}$/.test(text)) return null;
  const bytes = new Uint8Array(BYTES);
  let held = 0, bits = 0, at = 0;
  for (const letter of text.slice(3)) {
    held = ((held << 5) | LETTERS.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return { secret: bytes.slice(0, SECRET_BYTES), signature: bytes.slice(SECRET_BYTES) };
}

/** What a ticket is known by, in hexadecimal. */
export const hashOf = (/** @type {Uint8Array} */ secret) => bytesToHex(sha256(secret));

/** Whether one of the campaign's keys (hexadecimal) signed a ticket. */
export function isSigned(/** @type {{ secret: Uint8Array, signature: Uint8Array }} */ { secret, signature }, /** @type {number} */ campaign, /** @type {string[]} */ keys) {
  const signed = concatBytes(utf8ToBytes(`vTeam ticket ${campaign}\n`), secret);
  return keys.some((key) => {
    try {
      return ed25519.verify(signature, signed, hexToBytes(key));
    } catch {
      return false; // bytes that are no signature
    }
  });
}
