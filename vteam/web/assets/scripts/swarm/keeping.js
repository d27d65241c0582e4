/**
 * What a page keeps in this browser: copies and pieces of titles, a random name of the browser, how much was sent. Where
 * the browser keeps nothing (in-app browsers, private windows) it is kept as long as the page is open.
 */
import { createStore, del, get, set } from "idb-keyval";

/** @type {Map<string, unknown>} */
const here = new Map();
/** @type {ReturnType<typeof createStore> | undefined} */
let store;

function titles() {
  store ??= createStore("vteam", "titles");
  return store;
}

/** @returns {Promise<any>} what is kept under a name; undefined where nothing is */
export async function kept(/** @type {string} */ name) {
  if (here.has(name)) return here.get(name);
  try {
    return await get(name, titles());
  } catch {
    return undefined;
  }
}

export async function keep(/** @type {string} */ name, /** @type {unknown} */ what) {
  try {
    await set(name, what, titles());
  } catch {
    here.set(name, what);
  }
}

export async function drop(/** @type {string} */ name) {
  here.delete(name);
  await del(name, titles()).catch(() => undefined);
}

/** Random letters this browser is known by, on these pages only, from its first press of a button on one of them. */
export function browserName() {
  const name = remembered("browser") || Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => "abcdefghijklmnopqrstuvwxyz012345"[byte & 31]).join("");
  remember("browser", name);
  return name;
}

/** Where small things are remembered: in the browser, or in this tab until it is closed. */
const SHELVES = { browser: () => localStorage, tab: () => sessionStorage };

/** @typedef {keyof typeof SHELVES} Shelf */

export function remembered(/** @type {string} */ name, /** @type {Shelf} */ shelf = "browser") {
  try {
    return SHELVES[shelf]().getItem(`vteam-${name}`) ?? "";
  } catch {
    return String(here.get(`${shelf}/${name}`) ?? "");
  }
}

export function remember(/** @type {string} */ name, /** @type {string} */ value, /** @type {Shelf} */ shelf = "browser") {
  try {
    SHELVES[shelf]().setItem(`vteam-${name}`, value);
  } catch {
    here.set(`${shelf}/${name}`, value);
  }
}
