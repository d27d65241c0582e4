/**
 * Helps with the six digits: a pasted "123 456" or a whole sentence becomes 123456. It never sends by itself.
 *
 * Markup: `input[data-code]`.
 */

/** The digits of a text, at most six. */
export const digits = (/** @type {string} */ text) => text.replace(/\D/g, "").slice(0, 6);

/** Keeps the field to digits, whatever is typed, pasted or filled in, and was already there. */
export function startCode() {
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("input[data-code]"));
  if (!field) return;
  const tidy = () => {
    const kept = digits(field.value);
    if (kept !== field.value) field.value = kept;
  };
  field.removeAttribute("maxlength");
  field.addEventListener("input", tidy);
  tidy();
}
