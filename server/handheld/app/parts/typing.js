// Words that are being typed: shown as they were typed, so that no redraw puts those of the disk back under the finger.

import { useEffect, useRef, useState } from "./html.js";

/**
 * The properties of an input whose words are kept elsewhere: each key is written through at once, or, where every writing
 * is a record's edit (`atEnd`), what was typed is written when the field is left.
 * @param {string} value
 * @param {(words: string) => void} write
 * @param {boolean} [atEnd]
 */
export function useTyping(value, write, atEnd = false) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const left = useRef(() => {});
  useEffect(() => () => left.current(), []);
  return {
    value: typed ?? value,
    onInput: (/** @type {any} */ event) => {
      const words = event.target.value;
      setTyped(words);
      if (!atEnd) return write(words);
      left.current = () => {
        left.current = () => {};
        write(words);
      };
    },
    onChange: () => left.current(),
  };
}
