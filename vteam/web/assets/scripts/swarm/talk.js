/**
 * A page's talk with the edge: messages as JSON, blocks as they are. Closes for good when told to, or when the edge says
 * why; otherwise whoever owns it decides whether to come again.
 */

const SIGN_OF_LIFE_MS = 20_000;
const UNSENT_BYTES_MAX = 1 << 20;

/** @typedef {{ now: string, [name: string]: any }} Message what the edge says */
/** @typedef {{ heard: (message: Message) => void, block: (frame: ArrayBuffer) => void, gone: () => void }} Ears */

export class Talk {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #over = false;
  #heardAt = performance.now();
  #askedAt = 0;
  #unsent = 0;
  #offline = () => this.#lost();

  /**
   * @param {string} address
   * @param {Record<string, unknown>} hello the first thing to say
   * @param {Ears} ears
   */
  constructor(address, hello, ears) {
    this.ears = ears;
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.say({ do: "hello", ...hello });
    };
    this.#timer = setInterval(() => this.#live(), SIGN_OF_LIFE_MS);
    addEventListener("offline", this.#offline);
    this.socket.onmessage = ({ data }) => {
      if (this.#over) return;
      this.#heardAt = performance.now();
      if (typeof data === "string") ears.heard(JSON.parse(data));
      else ears.block(data);
    };
    this.socket.onclose = () => this.#lost();
  }

  /** The edge answers signs of life: where neither an answer came nor anything left since the last one, nobody is there. */
  #live() {
    const unsent = this.socket.bufferedAmount;
    if (this.#askedAt > this.#heardAt && unsent >= this.#unsent) return this.#lost();
    this.#askedAt = performance.now();
    this.#unsent = unsent;
    this.say({ do: "here" });
  }

  #lost() {
    if (this.#over) return;
    this.end();
    this.ears.gone();
  }

  say(/** @type {Record<string, unknown>} */ message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Sends a block once there is room for it; false when the talk is over. */
  async pass(/** @type {ArrayBuffer} */ frame) {
    while (this.socket.bufferedAmount > UNSENT_BYTES_MAX && !this.#over) await rest(20);
    if (this.#over || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(frame);
    return true;
  }

  /** Ends it; nothing is heard any more. */
  end() {
    this.#over = true;
    clearInterval(this.#timer);
    removeEventListener("offline", this.#offline);
    this.socket.close();
  }
}

export const rest = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long to wait before coming again, the longer the oftener it failed; never everybody at the same moment. */
export const again = (/** @type {number} */ tries) => Math.min(1_000 * 2 ** tries, 20_000) * (0.5 + Math.random());
