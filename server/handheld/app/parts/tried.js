// Work that a tap asks for and that may fail.

import { failureWords } from "./failures.js";
import { say } from "./saying.js";

/**
 * Do it; what it throws is said in words. Gives whether it went through.
 * @param {() => Promise<unknown>} work
 */
export async function tried(work) {
  try {
    await work();
    return true;
  } catch (failure) {
    say(failureWords(failure));
    return false;
  }
}
