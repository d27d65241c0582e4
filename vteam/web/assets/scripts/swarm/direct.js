/**
 * A straight connection between two pages (WebRTC): the listener's page offers, the seeder's answers, the edge carries
 * their words. One reliable channel; what it carries is for whoever opened it.
 */
import { rest } from "./talk.js";

const UNSENT_BYTES_MAX = 256 * 1024;

/** @typedef {{ opened: () => void, said: (message: any) => void, block: (frame: ArrayBuffer) => void, closed: () => void }} Ears */

export const canBeDirect = () => typeof RTCPeerConnection === "function";

export class Direct {
  /** @type {RTCDataChannel | undefined} */
  #channel;
  #closed = false;

  /**
   * @param {{ ice: string[], signal: (data: string) => void, ears: Ears, offers: boolean }} how
   */
  constructor({ ice, signal, ears, offers }) {
    this.ears = ears;
    this.signal = (/** @type {unknown} */ data) => signal(JSON.stringify(data));
    this.peer = new RTCPeerConnection({ iceServers: ice.map((urls) => ({ urls })) });
    this.peer.onicecandidate = ({ candidate }) => candidate && this.signal({ candidate: candidate.toJSON() });
    this.peer.onconnectionstatechange = () => this.peer.connectionState === "failed" && this.end();
    this.peer.ondatachannel = ({ channel }) => this.#use(channel);
    if (offers) {
      this.#use(this.peer.createDataChannel("vteam"));
      void this.#describe();
    }
  }

  #use(/** @type {RTCDataChannel} */ channel) {
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this.ears.opened();
    channel.onclose = () => this.end();
    channel.onmessage = ({ data }) => {
      if (typeof data === "string") this.ears.said(JSON.parse(data));
      else this.ears.block(data);
    };
  }

  async #describe() {
    await this.peer.setLocalDescription();
    this.signal({ description: this.peer.localDescription?.toJSON() });
  }

  /** What the other end signalled. A word that cannot be used is one less way to meet. */
  async hear(/** @type {string} */ text) {
    if (this.#closed) return;
    try {
      const data = JSON.parse(text);
      if (data.description) {
        await this.peer.setRemoteDescription(data.description);
        if (data.description.type === "offer") await this.#describe();
      } else if (data.candidate) {
        await this.peer.addIceCandidate(data.candidate);
      }
    } catch (fault) {
      console.info("a signal was of no use", fault);
    }
  }

  say(/** @type {unknown} */ message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  /** Sends a block once there is room for it; false when the connection is gone. */
  async pass(/** @type {ArrayBuffer} */ frame) {
    while (this.#channel && this.#channel.readyState === "open" && this.#channel.bufferedAmount > UNSENT_BYTES_MAX) await rest(4);
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(frame);
    return true;
  }

  end() {
    if (this.#closed) return;
    this.#closed = true;
    this.peer.close();
    this.ears.closed();
  }
}
