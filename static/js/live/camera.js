// The camera: opening it, naming what is in the way, and its frames as JPEG.

const LONGEST_SIDE = 640;
const JPEG_QUALITY = 0.8;

/** Why a camera could not be opened; `reason` is the name of a text of the page. */
export class CameraError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export async function openCamera(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraError("insecure");
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { ...which, width: { ideal: 640 }, height: { ideal: 480 } },
    });
  } catch (error) {
    throw new CameraError(REASONS[error.name] ?? "missing");
  }
}

export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput");
}

/**
 * Call `tick` for every new picture of the video until the returned function is called: with the
 * time of `performance.now`, and what the browser knows of the picture (or nothing).
 */
export function onEachFrame(video, tick) {
  const byVideo = "requestVideoFrameCallback" in video;
  let isStopped = false;
  const next = () => {
    if (isStopped) return;
    if (byVideo) video.requestVideoFrameCallback(step);
    else requestAnimationFrame(step);
  };
  const step = (now, picture) => {
    if (!isStopped) tick(now, picture);
    next();
  };
  next();
  return () => { isStopped = true; };
}

const canvas = document.createElement("canvas");

/** The video's picture of this moment as JPEG; null where there is none. */
export function grab(video, longestSide = LONGEST_SIDE, quality = JPEG_QUALITY) {
  const scale = Math.min(1, longestSide / Math.max(video.videoWidth, video.videoHeight, 1));
  const width = Math.round(video.videoWidth * scale);
  const height = Math.round(video.videoHeight * scale);
  if (!width || !height) return Promise.resolve(null);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0, width, height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", quality); });
}
