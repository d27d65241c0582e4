/**
 * Follows htmx while our mail is checked: says that it is, brings what was found to life, and where no answer came
 * asks once more as a page of its own, which says why.
 *
 * Markup: `form[data-check]` with its button and `[data-looking]`; `#mail-said` is read aloud, `#mail-found` filled.
 */
import { startSharing } from "./share.js";

export function startChecking() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-check]"));
  const said = document.getElementById("mail-said");
  const found = document.getElementById("mail-found");
  if (!form || !said || !found) return;
  form.addEventListener("htmx:beforeRequest", () => {
    said.textContent = form.querySelector("[data-looking]")?.textContent ?? "";
  });
  for (const trouble of ["htmx:responseError", "htmx:sendError"]) form.addEventListener(trouble, () => form.submit());
  found.addEventListener("htmx:afterSwap", () => {
    startSharing(found);
    const button = form.querySelector("button");
    if (button && found.dataset.again) button.textContent = found.dataset.again;
  });
}
