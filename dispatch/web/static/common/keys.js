// Keys of a screen. Nothing fires while an input method composes a word.

/** Whether the key belongs to an input method: 229 is what old ones send. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Whether keys are letters there. */
export const isTyping = (target) => target.closest?.("input:not([type=radio],[type=checkbox]), textarea, select, [contenteditable]");

/**
 * Bind keys: {"F2": run, "Alt+M": run, "Ctrl+Enter": run, "/": run}. A plain key is left alone where somebody types.
 * A letter means its key: with Alt, some keyboards type another sign, and Caps Lock makes it a capital.
 * @returns {() => void} unbinds them
 */
export function bind(keys, within = document) {
  const listen = (event) => {
    if (isComposing(event)) return;
    const run = keys[nameOf(event)];
    if (!run) return;
    const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey && event.key.length === 1;
    if (isPlain && isTyping(event.target)) return;
    event.preventDefault();
    run(event);
  };
  within.addEventListener("keydown", listen);
  return () => within.removeEventListener("keydown", listen);
}

/** A capital that nobody holds Shift for is the work of Caps Lock. */
const withoutCapsLock = ({ key, shiftKey }) => (key.length === 1 && !shiftKey ? key.toLowerCase() : key);

function nameOf(event) {
  const letter = /^(?:Key|Digit)(.)$/.exec(event.code)?.[1];
  const isModified = event.ctrlKey || event.altKey || event.metaKey;
  const key = isModified && letter ? letter : withoutCapsLock(event);
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${key}`;
}
