// The second step by a passkey.
import { $ } from "/static/common/dom.js";
import { guarded, send, use } from "./passkey.js";

const button = $("#passkey");
button.addEventListener("click", guarded(button, $("#fault"), async () => {
  const answer = await use(await send("/signin/passkey/options"));
  const next = new URLSearchParams(button.dataset.next ? { next: button.dataset.next } : {});
  location.assign((await send(`/signin/passkey?${next}`, answer)).next);
}));
