/** The page that checks a draw without a network: picks the record, does the draw again, says what holds. */
import { checked } from "../scripts/draws.js";
import { WORDS } from "./words.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const result = /** @type {HTMLElement} */ (document.querySelector("#result"));
const PARTS = /** @type {const} */ (["announcement", "entries", "randomness", "order"]);
const IN_LINE = 10;
/** @type {"en" | "fr"} */
let language = navigator.language.startsWith("fr") ? "fr" : "en";
/** @type {import("../scripts/draws.js").Checked | null} */
let last = null;

/** Words in the page's language, with `{…}` filled in. */
function say(/** @type {string} */ key, /** @type {string} */ of = "") {
  return (WORDS[language][key] ?? key).replace("{…}", of);
}

function tell() {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.getAttribute("data-say") ?? "");
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-language") === language));
  }
  if (last) show(last);
}

/** An element with a text. */
function made(/** @type {string} */ name, /** @type {string} */ text, /** @type {string} */ kind = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function show(/** @type {import("../scripts/draws.js").Checked} */ found) {
  const holds = !found.faults.length;
  const list = document.createElement("ul");
  for (const part of found.announced ? PARTS : /** @type {const} */ (["record", "announcement"])) {
    const faults = found.faults.filter((fault) => fault.part === part);
    const known = found.announced && (part !== "order" || found.order.length);
    if (!faults.length && known) list.append(made("li", `✓ ${say(part)}`, "good"));
    for (const fault of faults) list.append(made("li", `✗ ${say(part)}${say("colon")} ${say(fault.wrong, fault.of)}`, "bad"));
  }
  for (const name of found.leftOut) list.append(made("li", say("left-out", name)));
  result.replaceChildren(made("h2", say(holds ? "holds" : "fails"), holds ? "good" : "bad"), list);
  if (found.announced) {
    const hash = made("p", `${say("hash-is")} `);
    hash.append(made("code", found.announced));
    result.append(hash);
  }
  if (holds) {
    const winners = document.createElement("ol");
    for (const id of found.order.slice(0, found.told.how_many)) winners.append(made("li", id));
    result.append(made("h2", say("winners")), winners);
    const rest = found.order.slice(found.told.how_many, found.told.how_many + IN_LINE);
    if (rest.length) result.append(made("p", `${say("in-line")} ${rest.join(", ")}`, "small"));
  }
  result.hidden = false;
}

async function check() {
  const file = /** @type {HTMLInputElement} */ (form.elements.namedItem("record")).files?.[0];
  const announced = /** @type {HTMLInputElement} */ (form.elements.namedItem("announced")).value.trim().toLowerCase();
  if (!file) return;
  result.replaceChildren(made("p", say("working")));
  result.hidden = false;
  await new Promise((done) => setTimeout(done, 30)); // so that these words are seen before the work begins
  const began = performance.now();
  let record = null;
  try {
    record = JSON.parse(await file.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // what is no JSON is told as what is no record
  }
  last = checked(record, announced);
  show(last);
  result.dataset["took"] = String(Math.round(performance.now() - began));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void check();
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    language = button.getAttribute("data-language") === "fr" ? "fr" : "en";
    tell();
  });
}
tell();
