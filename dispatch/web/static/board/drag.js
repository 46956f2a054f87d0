// Dragging a ticket from the queue onto a team; whatever is dragged can be done by key as well (R).
const KIND = "text/x-ticket";

/** Let an element be dragged as a ticket. */
export function draggable(element, number) {
  element.draggable = true;
  element.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(KIND, number);
    event.dataTransfer.effectAllowed = "move";
  });
}

/** Let tickets be dropped on an element. */
export function takesTickets(element, onDrop) {
  const isTicket = (event) => event.dataTransfer.types.includes(KIND);
  element.addEventListener("dragover", (event) => {
    if (!isTicket(event)) return;
    event.preventDefault();
    element.classList.add("is-target");
  });
  element.addEventListener("dragleave", () => element.classList.remove("is-target"));
  element.addEventListener("drop", (event) => {
    if (!isTicket(event)) return;
    event.preventDefault();
    element.classList.remove("is-target");
    onDrop(event.dataTransfer.getData(KIND));
  });
}
