// Whether the lock is closed. What looks or listens stops behind it, and begins again where it was.

import { createContext, useContext } from "./html.js";

export const LockedContext = createContext(false);

/** @returns {boolean} */
export function useLocked() {
  return useContext(LockedContext);
}
