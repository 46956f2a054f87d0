// The text of an article: paragraphs, items and strong words, made of elements and never of HTML.
import { h } from "/static/common/dom.js";

const ITEM = /^\s*[-•]\s+/;
const STRONG = /\*\*(.+?)\*\*/;

/** Return the elements of a text. */
export function rich(body) {
  return body.split(/\n\s*\n/).filter((block) => block.trim()).flatMap((block) => groups(block.split("\n")));
}

/** Return the text as it is read out: without marks. */
export const plain = (body) => body.replace(new RegExp(STRONG, "g"), "$1");

function groups(lines) {
  const made = [];
  for (const line of lines) {
    const isItem = ITEM.test(line);
    const last = made.at(-1);
    if (last && last.isItem === isItem) last.lines.push(line);
    else made.push({ isItem, lines: [line] });
  }
  return made.map(({ isItem, lines: own }) => (isItem
    ? h("ul.items", {}, own.map((line) => h("li", {}, strong(line.replace(ITEM, "")))))
    : h("p", {}, own.flatMap((line, n) => [n ? h("br") : null, strong(line)]))));
}

// Every second part stood between two marks.
const strong = (line) => line.split(STRONG).map((part, n) => (n % 2 ? h("strong", {}, part) : part));
