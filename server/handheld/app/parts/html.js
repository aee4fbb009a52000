// Preact with htm: every screen and part takes its words from here.

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
export { cloneElement, createContext, Fragment, isValidElement, render } from "preact";
export {
  useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState,
} from "preact/hooks";
