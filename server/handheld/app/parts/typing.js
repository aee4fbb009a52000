// Words that are being typed: shown as they were typed, so that no redraw puts those of the disk back under the finger.

import { useEffect, useRef, useState } from "./html.js";

const NOTHING = async () => {};

/**
 * The properties of an input whose words are kept elsewhere: each key is written through at once, or, where every writing
 * is a record's edit (`atEnd`), what was typed is written when the field is left, with the version that was looked at when the
 * typing began. `write` then says whether it is kept: until it is, it stays in the field and is written when that is left again.
 * @param {string} value
 * @param {(words: string, version: number) => unknown} write
 * @param {boolean} [atEnd]
 * @param {number} [version]
 */
export function useTyping(value, write, atEnd = false, version = 0) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const left = useRef(NOTHING), looked = useRef(/** @type {number | null} */ (null));
  useEffect(() => () => void left.current(), []);
  return {
    value: typed ?? value,
    onInput: (/** @type {any} */ event) => {
      const words = event.target.value;
      setTyped(words);
      if (!atEnd) return write(words, version);
      const base = looked.current ??= version;
      const leave = left.current = async () => {
        left.current = NOTHING;
        const kept = await write(words, base);
        if (left.current !== NOTHING) return; // typed on meanwhile
        left.current = kept ? NOTHING : leave;
        if (!kept) return;
        looked.current = null;
        setTyped(null);
      };
    },
    onChange: () => {
      if (typed === value) setTyped(null); // kept as it was typed: from now on as it is kept
      return left.current();
    },
  };
}
