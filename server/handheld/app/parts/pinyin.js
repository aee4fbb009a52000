// The first letters of Chinese words: 店外经营 is dwjy. Taken from the browser's own order by pinyin, without a table.

// A character with which each letter begins in that order; no word begins with i, u or v.
const FIRSTS = "阿八嚓咑妸发旮铪丌咔垃妈拿噢妑七呥仨他挖夕丫匝";
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
