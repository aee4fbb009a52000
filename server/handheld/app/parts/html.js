// Preact with htm: every screen and part takes its words from here.

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
export { Fragment, render } from "preact";
export { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
