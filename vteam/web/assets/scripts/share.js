/**
 * The fan's own device does the sending: its share sheet, its clipboard. Both buttons stay hidden where the
 * device cannot; vTeam never learns to whom anything went.
 *
 * Markup: `button[data-share]` with `data-title`, `data-text`, `data-url`; `button[data-copy]` (the text to copy)
 * with `data-done`, what to say afterwards.
 */

function offerSheet(/** @type {HTMLButtonElement} */ button) {
  const { title, text, url } = button.dataset;
  if (!navigator.share) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.share({ title, text, url }).catch((/** @type {DOMException} */ reason) => {
      if (reason.name !== "AbortError") button.hidden = true;
    });
  });
}

function offerCopy(/** @type {HTMLButtonElement} */ button) {
  const label = button.textContent ?? "";
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!(await copied(button.dataset.copy ?? ""))) return;
    button.textContent = button.dataset.done ?? label;
    setTimeout(() => (button.textContent = label), 4000);
  });
}

/** Copies `text`; false where the device refuses. Plain http (a phone at home) has only the older way. */
async function copied(/** @type {string} */ text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedFromField(text);
  }
}

function copiedFromField(/** @type {string} */ text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "aside";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

/** Shows what this device can do, in a part of the page or in all of it. */
export function startSharing(/** @type {ParentNode} */ part = document) {
  part.querySelectorAll("button[data-share]").forEach((button) => offerSheet(/** @type {HTMLButtonElement} */ (button)));
  part.querySelectorAll("button[data-copy]").forEach((button) => offerCopy(/** @type {HTMLButtonElement} */ (button)));
}
