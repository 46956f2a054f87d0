// Passkeys: what the server asks, put to the browser, and its answer in JSON. Bytes travel as base64url.
import { inWords } from "/static/common/api.js";
import { page, t } from "/static/common/page.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list = []) => list.map((key) => ({ ...key, id: bytes(key.id) }));

/** Send JSON to a page of this server; throws an Error in words. */
export async function send(path, body = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": page.csrf };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
  const told = await response.json().catch(() => ({}));
  if (!response.ok || response.redirected) throw new Error(inWords(told) || t("signin.passkey_failed"));
  return told;
}

/** Let the browser make a passkey. */
export async function make(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  const made = await asked(() => navigator.credentials.create({ publicKey }));
  const { clientDataJSON, attestationObject } = made.response;
  return { ...outer(made), response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) } };
}

/** Let the browser answer with a passkey it has. */
export async function use(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
  const used = await asked(() => navigator.credentials.get({ publicKey }));
  const { clientDataJSON, authenticatorData, signature } = used.response;
  const response = { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature) };
  return { ...outer(used), response };
}

async function asked(ask) {
  try {
    return await ask();
  } catch {
    throw new Error(t("signin.passkey_failed")); // cancelled, timed out, or known already: the browser has said which
  }
}

function outer(credential) {
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {} };
}

/** Run something on a click or a submit; what goes wrong is said in `fault`. */
export function guarded(button, fault, run) {
  return async (event) => {
    event.preventDefault();
    button.disabled = true;
    fault.hidden = true;
    try {
      await run();
    } catch (error) {
      fault.textContent = error.message;
      fault.hidden = false;
    } finally {
      button.disabled = false;
    }
  };
}
