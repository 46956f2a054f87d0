// The photos that the server has of a job, shown when somebody wants to see them.
import { get } from "/static/common/api.js";
import { fill, h } from "/static/common/dom.js";
import { t } from "/static/common/page.js";
import { picture } from "/static/common/photo.js";

export function gallery(job) {
  const count = job.photos.before + job.photos.after;
  if (!count) return null;
  const place = h("div.row");
  const toggled = ({ currentTarget }) => { if (currentTarget.open) show(job, place); };
  return h("details", { ontoggle: toggled }, h("summary", { id: "gallery" }, t("crew.photos", { count })), place);
}

async function show(job, place) {
  fill(place, t("common.loading"));
  try {
    const { items } = await get(`/tickets/${job.number}/photos`);
    fill(place, items.map(picture));
  } catch (error) {
    fill(place, error.message);
  }
}
