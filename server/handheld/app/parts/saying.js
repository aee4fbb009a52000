// Words to the person that need no answer; the shell's toast shows them (`page`).

/** @type {((text: string) => void) | null} */
let speak = null;

/** Say something that needs no answer. @param {string} text */
export function say(text) {
  speak?.(text);
}

/** Who shows and reads out what is said from now on; null for nobody. @param {((text: string) => void) | null} voice */
export function saidBy(voice) {
  speak = voice;
}
