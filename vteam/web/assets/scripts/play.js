/**
 * The round play button over the browser's own player. Nothing sounds before a person presses, and one title
 * plays at a time. Where this does not run, the browser's player stays.
 *
 * Markup: an element with `data-player` that holds an `<audio controls>` and a hidden `<button data-play>` with
 * `data-label-play` and `data-label-pause`, a `[data-ring]` circle and, where wanted, a `[data-time]` text.
 * Pressing sends `vteam:played` up from the player.
 */

/** @type {HTMLAudioElement | null} what sounds now */
let sounding = null;

/** Seconds as people write them: 84 is "1:24". */
export function clock(/** @type {number} */ seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Shows the round button in place of the browser's player. */
function enhance(/** @type {Element} */ player) {
  const audio = player.querySelector("audio");
  const button = /** @type {HTMLButtonElement | null} */ (player.querySelector("[data-play]"));
  if (!audio || !button) return;
  audio.controls = false;
  audio.hidden = true;
  button.hidden = false;
  button.addEventListener("click", () => toggle(player, audio));
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, () => showState(button, audio));
  audio.addEventListener("play", () => silenceOthers(audio));
  audio.addEventListener("timeupdate", () => showTime(player, audio));
  audio.addEventListener("error", () => showTrouble(audio, button));
}

function toggle(/** @type {Element} */ player, /** @type {HTMLAudioElement} */ audio) {
  if (!audio.paused) {
    audio.pause();
    return;
  }
  player.dispatchEvent(new CustomEvent("vteam:played", { bubbles: true }));
  audio.play().catch((/** @type {DOMException} */ reason) => {
    if (reason.name !== "AbortError") audio.dispatchEvent(new Event("error"));
  });
}

function silenceOthers(/** @type {HTMLAudioElement} */ audio) {
  if (sounding && sounding !== audio) sounding.pause();
  sounding = audio;
}

function showState(/** @type {HTMLButtonElement} */ button, /** @type {HTMLAudioElement} */ audio) {
  const plays = !audio.paused && !audio.ended;
  button.toggleAttribute("data-playing", plays);
  button.setAttribute("aria-label", (plays ? button.dataset.labelPause : button.dataset.labelPlay) ?? "");
}

function showTime(/** @type {Element} */ player, /** @type {HTMLAudioElement} */ audio) {
  const ring = /** @type {SVGElement | null} */ (player.querySelector("[data-ring]"));
  const time = player.querySelector("[data-time]");
  const length = Number.isFinite(audio.duration) ? audio.duration : 0;
  if (ring && length) ring.style.strokeDashoffset = String(100 - (100 * audio.currentTime) / length);
  if (time && length) time.textContent = `${clock(audio.currentTime)} / ${clock(length)}`;
}

/** The title cannot be had (taken back, or the network is gone): the browser's player says so itself. */
function showTrouble(/** @type {HTMLAudioElement} */ audio, /** @type {HTMLButtonElement} */ button) {
  button.hidden = true;
  audio.hidden = false;
  audio.controls = true;
}

/** Makes every player of the page ours. */
export function startPlayers() {
  document.querySelectorAll("[data-player]").forEach(enhance);
}
