// Web Push on this browser: "on", "off", "denied" (by its user), or "none" (it cannot, or the installation has no key).
import { get, post, remove } from "./api.js";

const canPush = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

export async function state() {
  if (!canPush() || !(await get("/push/key")).key) return "none";
  if (Notification.permission === "denied") return "denied";
  return (await current()) ? "on" : "off";
}

/** Ask for the permission and subscribe; only after a press of the user. Returns the new state. */
export async function subscribe() {
  const { key } = await get("/push/key");
  if (!canPush() || !key) return "none";
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const worker = await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  const { endpoint, keys } = made.toJSON();
  await post("/push/subscriptions", { endpoint, keys });
  return "on";
}

/** Unsubscribe here and on the server; also before somebody signs out of a phone that others use. */
export async function unsubscribe() {
  const made = canPush() ? await current() : null;
  if (made) {
    await remove("/push/subscriptions", { endpoint: made.endpoint });
    await made.unsubscribe();
  }
  return "off";
}

async function current() {
  const worker = await navigator.serviceWorker.getRegistration();
  return (await worker?.pushManager.getSubscription()) ?? null;
}

function bytes(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
