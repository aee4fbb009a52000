// The first letters of Chinese words: 店外经营 is dwjy. Taken from the browser's own order by pinyin, without a table.

// The first character of each letter in that order; no word begins with i, u or v.
const FIRSTS = "阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀";
const LETTERS = "abcdefghjklmnopqrstwxyz";
const ORDER = new Intl.Collator("zh-Hans-CN-u-co-pinyin");
/** @type {Map<string, string>} */
const known = new Map();

/** @param {string} words */
export function initials(words) {
  const found = known.get(words) ?? [...words].map(initial).join("");
  known.set(words, found);
  return found;
}

/** @param {string} character */
function initial(character) {
  if (!/\p{Script=Han}/u.test(character)) return character.toLowerCase();
  let letter = "";
  for (let place = 0; place < LETTERS.length && ORDER.compare(FIRSTS[place], character) <= 0; place++) letter = LETTERS[place];
  return letter;
}
