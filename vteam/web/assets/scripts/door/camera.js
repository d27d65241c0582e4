/** Looks for QR codes through the camera: whatever it sees is told, again and again, until it is stopped. */
import decodeQR from "qr/decode.js";

const SIDE_MAX = 720;
const PAUSE_MS = 60;

/** Begins; returns how to stop. Rejects where there is no camera, or it may not be used. */
export async function watch(/** @type {HTMLVideoElement} */ video, /** @type {(text: string) => void} */ saw) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 } } });
  video.srcObject = stream;
  await video.play();
  const canvas = document.createElement("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  let stopped = false;
  const look = () => {
    if (stopped) return;
    const text = document.hidden ? null : codeIn(video, canvas, context);
    if (text !== null) saw(text);
    setTimeout(look, PAUSE_MS);
  };
  look();
  return () => {
    stopped = true;
    for (const track of stream.getTracks()) track.stop();
  };
}

/** The code in the middle of what the camera sees now; null where there is none. */
function codeIn(/** @type {HTMLVideoElement} */ video, /** @type {HTMLCanvasElement} */ canvas, /** @type {CanvasRenderingContext2D} */ context) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  if (!side) return null;
  canvas.width = canvas.height = Math.min(side, SIDE_MAX);
  context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  try {
    return decodeQR({ data, width, height });
  } catch {
    return null; // its way of saying that there is no code
  }
}
