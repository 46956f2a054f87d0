// The menu of the bar closes like one: by Escape, by a click beside it, and once the focus has left it.
import { $ } from "./dom.js";

const menu = $(".more-screens");
const close = () => { menu.open = false; };

menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  event.stopPropagation(); // this Escape is not meant for the page below
  close();
  menu.querySelector("summary").focus();
});
// A press of the mouse moves the focus to nowhere; where it meant to go is told by the click.
menu.addEventListener("focusout", ({ relatedTarget }) => { if (relatedTarget && !menu.contains(relatedTarget)) close(); });
document.addEventListener("click", ({ target }) => { if (!menu.contains(target)) close(); });
