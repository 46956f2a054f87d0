// Coordinates that are typed or pasted: "112.944440, 28.115325", in brackets or not.
const PAIR = /^\s*\(?\s*(-?\d+(?:\.\d+)?)\s*[,，;\s]\s*(-?\d+(?:\.\d+)?)\s*\)?\s*$/;

/** Return the two numbers, whether or not there is such a place, or null for what are not two. */
export const numbersOf = (text) => PAIR.exec(text)?.slice(1).map(Number) ?? null;
