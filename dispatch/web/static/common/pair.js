// Coordinates that are typed or pasted: "112.944440, 28.115325", in brackets or not.
const PAIR = /^\s*\(?\s*(-?\d+(?:\.\d+)?)\s*[,，;\s]\s*(-?\d+(?:\.\d+)?)\s*\)?\s*$/;

/** Return [lon, lat] where it is a place on earth, else null. */
export function pairOf(text) {
  const pair = numbersOf(text);
  return pair && Math.abs(pair[0]) <= 180 && Math.abs(pair[1]) <= 90 ? pair : null;
}

/** Return the two numbers, whether or not there is such a place, or null for what are not two. */
export const numbersOf = (text) => PAIR.exec(text)?.slice(1).map(Number) ?? null;
