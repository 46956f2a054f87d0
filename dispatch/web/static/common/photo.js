// A photo of a ticket, small, with its stage and its time; a click shows it large.
import { h } from "./dom.js";
import { now, t } from "./page.js";
import { shortTime } from "./time.js";

export function picture(photo) {
  const name = `${t(`stage.${photo.stage}`)} ${shortTime(photo.taken_at, now())}`;
  return h("a.picture", { href: photo.url, target: "_blank", rel: "noopener" }, h("img", { src: photo.thumbnail_url, alt: "", width: 96, height: 96 }), h("span.small", {}, name));
}
