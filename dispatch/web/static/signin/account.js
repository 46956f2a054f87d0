// A new passkey for one's own account.
import { $ } from "/static/common/dom.js";
import { guarded, make, send } from "./passkey.js";

const form = $("#passkey-add");
form.addEventListener("submit", guarded($("button", form), $("#passkey-fault"), async () => {
  const passkey = await make(await send("/account/passkeys/options", { password: form.password.value }));
  location.assign((await send("/account/passkeys", { passkey, label: form.label.value })).next);
}));
