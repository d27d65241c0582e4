/**
 * A published draw done again in a browser, from its record alone: the same as vteam/rules/draws.py and
 * drawrecords.py, by the algorithm of docs/draws.md. A fault is a part of the record, what is wrong with it, and of what.
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const ALGORITHM = "vteam-draw-1";
const WEIGHT_MAX = 2 ** 31;
const TOTAL_MAX = 2 ** 53;
const ENTRIES_MAX = 10_000_000;
const DRAWN_MAX = 10_000;
const SOURCES = new Map([
  ["beacon", ["chain", "from", "round"]],
  ["commitments", ["at_least", "contributors", "from", "reveal_until"]],
]);
const CONTRIBUTORS_MAX = 50;
const FIELDS = ["algorithm", "announced_at", "campaign", "entries", "entries_sha256", "how_many", "in_line", "prize", "randomness", "weight"];
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const ID = /^[0-9a-z]{1,40}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const HEX = /^([0-9a-f]{2})*$/;
const LINES = 4096;

/** The networks known here, by the hash of their chain's constants: drand's quicknet. */
const BEACONS = new Map([
  [
    "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    {
      publicKey:
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451" +
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
      genesis: 1_692_803_367,
      period: 3,
    },
  ],
]);

/** @typedef {"record" | "announcement" | "entries" | "randomness" | "order"} Part */
/** @typedef {{ part: Part, wrong: string, of?: string }} Fault */
/** @typedef {{ faults: Fault[], announced: string, order: string[], leftOut: string[], told: any }} Checked */

class Wrong extends Error {
  /** @param {Part} part @param {string} wrong @param {string} [of] */
  constructor(part, wrong, of) {
    super(wrong);
    /** @type {Fault} */
    this.fault = { part, wrong, of };
  }
}

/** Does a draw again. `announced`: the announcement's hash as somebody saw it published, or nothing. */
export function checked(/** @type {any} */ record, announced = "") {
  /** @type {Checked} */
  const found = { faults: [], announced: "", order: [], leftOut: [], told: null };
  attempt(found, () => {
    found.told = announcementOf(record);
    found.announced = bytesToHex(sha256(utf8ToBytes(canonical(found.told))));
  });
  if (!found.announced) return found;
  const told = found.told;
  if (record.announced !== found.announced) found.faults.push({ part: "announcement", wrong: "changed" });
  if (announced && announced !== found.announced) found.faults.push({ part: "announcement", wrong: "other" });
  /** @type {[string, number][]} */
  let entries = [];
  attempt(found, () => {
    entries = entriesOf(record, told);
  });
  attempt(found, () => {
    const { randomness, leftOut } = randomnessOf(told, object(record.randomness, "randomness"));
    found.leftOut = leftOut;
    if (!entries.length) return;
    const seed = sha256(concatBytes(utf8ToBytes(`${ALGORITHM}\n`), hexToBytes(found.announced), randomness));
    const weights = entries.map(([, weight]) => weight);
    found.order = drawn(seed, weights, told.how_many + told.in_line).map((place) => /** @type {[string, number]} */ (entries[place])[0]);
  });
  const same = Array.isArray(record.order) && record.order.length === found.order.length && found.order.every((id, at) => record.order[at] === id);
  if (found.order.length && !same) found.faults.push({ part: "order", wrong: "other-order" });
  return found;
}

function attempt(/** @type {Checked} */ found, /** @type {() => void} */ step) {
  try {
    step();
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    found.faults.push(error.fault);
  }
}

/** Which entries (by place, from 0) are drawn, in order: each by its share of what all that are left weigh. */
export function drawn(/** @type {Uint8Array} */ seed, /** @type {number[]} */ weights, /** @type {number} */ howMany) {
  const ends = new Float64Array(weights.length);
  let left = 0;
  weights.forEach((weight, place) => {
    left += weight;
    ends[place] = left;
  });
  /** @type {number[]} places drawn already, lowest first */
  const out = [];
  /** @type {number[]} */
  const order = [];
  while (order.length < Math.min(howMany, weights.length)) {
    let at = numberBelow(left, seed, order.length);
    // `at` counts along what is left: past each one drawn before it, it moves on by what that one weighed.
    let before = 0;
    for (; before < out.length; before += 1) {
      const place = /** @type {number} */ (out[before]);
      if (at < /** @type {number} */ (ends[place]) - /** @type {number} */ (weights[place])) break;
      at += /** @type {number} */ (weights[place]);
    }
    const place = firstBeyond(ends, at);
    order.push(place);
    out.splice(before, 0, place);
    left -= /** @type {number} */ (weights[place]);
  }
  return order;
}

function firstBeyond(/** @type {Float64Array} */ ends, /** @type {number} */ at) {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (/** @type {number} */ (ends[middle]) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A number from 0 up to `limit`, all equally likely: hashes beyond the last whole multiple of it are passed over. */
function numberBelow(/** @type {number} */ limit, /** @type {Uint8Array} */ seed, /** @type {number} */ turn) {
  const whole = 2n ** 256n;
  const end = whole - (whole % BigInt(limit));
  for (let again = 0; ; again += 1) {
    const counters = new DataView(new ArrayBuffer(8));
    counters.setUint32(0, turn);
    counters.setUint32(4, again);
    const number = BigInt(`0x${bytesToHex(sha256(concatBytes(seed, new Uint8Array(counters.buffer))))}`);
    if (number < end) return Number(number % BigInt(limit));
  }
}

/** JSON with sorted keys and without spaces: the one text that is hashed. */
function canonical(/** @type {any} */ value) {
  /** @type {(value: any) => string} */
  const spelled = (each) => {
    if (Array.isArray(each)) return `[${each.map(spelled).join(",")}]`;
    if (each !== null && typeof each === "object") {
      const names = Object.keys(each).sort();
      return `{${names.map((name) => `${JSON.stringify(name)}:${spelled(each[name])}`).join(",")}}`;
    }
    if (typeof each === "string" && !isText(each)) throw new Wrong("announcement", "unreadable");
    if (typeof each === "number" && !Number.isSafeInteger(each)) throw new Wrong("announcement", "unreadable");
    return JSON.stringify(each);
  };
  return spelled(value);
}

/** Whether a text is whole: half a character has no bytes to hash. */
function isText(/** @type {string} */ text) {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function announcementOf(/** @type {any} */ record) {
  if (record === null || typeof record !== "object" || Array.isArray(record)) throw new Wrong("record", "no-record");
  const told = record.announcement;
  if (told === null || typeof told !== "object" || told.algorithm !== ALGORITHM) throw new Wrong("announcement", "algorithm");
  const fields = Object.keys(told).sort();
  const texts = ["campaign", "prize", "entries_sha256", "announced_at"];
  const readable =
    fields.length === FIELDS.length &&
    fields.every((name, at) => name === FIELDS[at]) &&
    texts.every((name) => typeof told[name] === "string") &&
    isNumber(told.how_many, 1, DRAWN_MAX) &&
    isNumber(told.in_line, 0, DRAWN_MAX) &&
    isNumber(told.entries, 1, ENTRIES_MAX) &&
    isNumber(told.weight, 0, TOTAL_MAX - 1) &&
    !Number.isNaN(momentOf(told.announced_at)) &&
    isSource(told.randomness);
  if (!readable) throw new Wrong("announcement", "unreadable");
  return told;
}

/** Whether it has the fields a source of randomness has, and no others. */
function isSource(/** @type {any} */ source) {
  if (source === null || typeof source !== "object" || !hasFields(source, SOURCES.get(source.from))) return false;
  const contributors = source.contributors ?? [];
  return Array.isArray(contributors) && contributors.every((each) => hasFields(each, ["commitment", "name"]));
}

function hasFields(/** @type {any} */ value, /** @type {string[] | undefined} */ fields) {
  if (value === null || typeof value !== "object" || Array.isArray(value) || !fields) return false;
  const found = Object.keys(value).sort();
  return found.length === fields.length && found.every((name, at) => name === fields[at]);
}

/** Seconds since 1970 of a moment as records state it; NaN where it is none. */
function momentOf(/** @type {any} */ text) {
  if (typeof text !== "string" || !MOMENT.test(text)) return NaN;
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && `${at.toISOString().slice(0, 19)}Z` === text ? at.getTime() / 1000 : NaN;
}

function entriesOf(/** @type {any} */ record, /** @type {any} */ told) {
  const rows = record.entries;
  if (!Array.isArray(rows) || !rows.length) throw new Wrong("entries", "none");
  const hash = sha256.create();
  let [last, total] = ["", 0];
  /** @type {string[]} */
  let lines = [];
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== 2) throw new Wrong("entries", "no-pair");
    const [id, weight] = row;
    if (typeof id !== "string" || !ID.test(id)) throw new Wrong("entries", "no-id");
    if (!isNumber(weight, 1, WEIGHT_MAX)) throw new Wrong("entries", "no-weight", id);
    if (id <= last) throw new Wrong("entries", "disorder", id);
    last = id;
    total += weight;
    lines.push(`${id} ${weight}\n`);
    if (lines.length === LINES) {
      hash.update(utf8ToBytes(lines.join("")));
      lines = [];
    }
  }
  hash.update(utf8ToBytes(lines.join("")));
  if (rows.length !== told.entries || total !== told.weight) throw new Wrong("entries", "count");
  if (bytesToHex(hash.digest()) !== told.entries_sha256) throw new Wrong("entries", "changed-entries");
  return rows;
}

/** The randomness, and who was left out of it. */
function randomnessOf(/** @type {any} */ told, /** @type {any} */ came) {
  const source = told.randomness;
  if (source.from === "beacon") return { randomness: fromRound(told, source, came), leftOut: [] };
  if (source.from === "commitments") return fromRevealed(told, source, came);
  throw new Wrong("announcement", "source");
}

function fromRound(/** @type {any} */ told, /** @type {any} */ source, /** @type {any} */ came) {
  const beacon = BEACONS.get(source.chain);
  if (!beacon || !isNumber(source.round, 1, 2 ** 40)) throw new Wrong("announcement", "beacon");
  if (!(momentOf(told.announced_at) < beacon.genesis + (source.round - 1) * beacon.period)) throw new Wrong("announcement", "late");
  const signature = bytesOf(came.signature);
  if (signature.length !== 48 || !isSigned(beacon.publicKey, source.round, signature)) {
    throw new Wrong("randomness", "signature", String(source.round));
  }
  return sha256(signature);
}

function isSigned(/** @type {string} */ publicKey, /** @type {number} */ round, /** @type {Uint8Array} */ signature) {
  const number = new DataView(new ArrayBuffer(8));
  number.setBigUint64(0, BigInt(round));
  const scheme = bls12_381.shortSignatures;
  try {
    const message = scheme.hash(sha256(new Uint8Array(number.buffer)), DOMAIN);
    return scheme.verify(signature, message, hexToBytes(publicKey));
  } catch {
    return false; // no point of the curve, or none of its group
  }
}

function fromRevealed(/** @type {any} */ told, /** @type {any} */ source, /** @type {any} */ came) {
  if (!(momentOf(told.announced_at) < momentOf(source.reveal_until))) throw new Wrong("announcement", "after-close");
  const contributors = source.contributors;
  if (!Array.isArray(contributors) || !contributors.length || contributors.length > CONTRIBUTORS_MAX) {
    throw new Wrong("announcement", "contributors");
  }
  if (!isNumber(source.at_least, 1, contributors.length)) throw new Wrong("announcement", "at-least");
  const revealed = object(came.revealed, "randomness");
  /** @type {string[]} */
  const leftOut = [];
  const hash = sha256.create();
  for (const contributor of contributors) {
    const { name, commitment } = object(contributor, "announcement");
    if (typeof name !== "string") throw new Wrong("announcement", "nameless");
    if (!Object.hasOwn(revealed, name) || revealed[name] === null) {
      leftOut.push(name);
      continue;
    }
    const secret = bytesOf(revealed[name]);
    const hashed = bytesToHex(sha256(utf8ToBytes(`${ALGORITHM} ${name} ${revealed[name]}`)));
    if (secret.length !== 32 || hashed !== commitment) throw new Wrong("randomness", "secret", name);
    hash.update(secret);
  }
  const names = new Set(contributors.map((contributor) => contributor.name));
  if (Object.keys(revealed).some((name) => !names.has(name))) throw new Wrong("randomness", "stranger");
  if (contributors.length - leftOut.length < source.at_least) throw new Wrong("randomness", "too-few", String(source.at_least));
  return { randomness: hash.digest(), leftOut };
}

/** @param {any} value @param {Part} part */
function object(value, part) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Wrong(part, "missing");
  return value;
}

function isNumber(/** @type {any} */ value, /** @type {number} */ least, /** @type {number} */ most) {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

/** The bytes of hex digits; none where they are none. */
function bytesOf(/** @type {any} */ text) {
  return typeof text === "string" && HEX.test(text) ? hexToBytes(text) : new Uint8Array();
}
