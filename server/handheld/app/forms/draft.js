// A form's draft: kept on this device at every change, so that a killed browser loses no tap. What another tab writes
// into it is taken in at once, so that no tab changes what is no longer so.

import { useDevice } from "../parts/device.js";
import { useCallback, useEffect, useRef, useState } from "../parts/html.js";
import { say } from "../parts/page.js";
import { t } from "../words.js";

/**
 * @typedef {Record<string, any>} Value
 * @typedef {{value: Value | null | undefined, change: (part: Value | ((value: Value) => Value)) => void,
 *   problem: string | null, begin: (value: Value) => Promise<void>, drop: () => Promise<void>}} Draft
 */

/**
 * The draft of that id. `value` is undefined while loading and null where there is none (any more); `change` merges a part in at
 * once and writes behind, one after the other; `begin` and `drop` resolve when it is done on disk.
 * @param {string | undefined} id
 * @param {string} kind
 * @returns {Draft}
 */
export function useDraft(id, kind) {
  const device = useDevice();
  const [value, setValue] = useState(/** @type {Value | null | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {string | null} */ (null));
  const [unread, setUnread] = useState(/** @type {unknown} */ (null));
  if (unread) throw unread; // the screen tells it in words
  const now = useRef(/** @type {Value | null} */ (null)), onDisk = useRef(now.current); // the same when all is kept
  const writing = useRef(/** @type {Promise<void>} */ (Promise.resolve()));

  useEffect(() => {
    let over = false, known = "";
    now.current = onDisk.current = null;
    setValue(undefined);
    const look = () => device.drafts().then((all) => {
      const there = all.find((one) => one.id === id && one.kind === kind)?.value ?? null, said = JSON.stringify(there);
      if (over || now.current !== onDisk.current || said === known) return;
      known = said;
      now.current = onDisk.current = there;
      setValue(there);
    }).catch((error) => (known ? setProblem(told(error)) : setUnread(error)));
    look();
    const stop = device.onChange((data) => void (data && look()));
    return () => {
      over = true;
      stop();
    };
  }, [device, id, kind]);

  const write = useCallback((/** @type {() => Promise<void>} */ work) => {
    const done = writing.current.then(work);
    writing.current = done.then(() => setProblem(null), (error) => setProblem(told(error)));
    return done;
  }, []);

  const begin = useCallback((/** @type {Value} */ first) => {
    now.current = first;
    setValue(first);
    return write(async () => {
      await device.saveDraft(/** @type {string} */ (id), kind, first);
      onDisk.current = first;
    });
  }, [device, id, kind]);

  const change = useCallback((/** @type {Value | ((value: Value) => Value)} */ part) => {
    const before = now.current ?? {};
    const after = { ...before, ...(typeof part === "function" ? part(before) : part) };
    begin(after).catch((error) => say(told(error)));
  }, [begin]);

  const drop = useCallback(async () => {
    await write(() => device.dropDraft(/** @type {string} */ (id)));
    now.current = onDisk.current = null;
    setValue(null);
  }, [device, id]);
  return { value, change, problem, begin, drop };
}

/** Why something could not be written here, and what to do. @param {unknown} error */
export function told(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "QuotaExceededError") {
    return t("手机存储已满,刚才的改动没有存下。请先联网上传或清理空间,再试一次。",
      "The phone is full: the last change was not kept. Upload or free some space, then try again.");
  }
  const detail = error instanceof Error ? error.message : String(error);
  return t(`没有存下:${detail}。请再试一次。`, `Not kept: ${detail}. Please try again.`);
}

/**
 * Run something that writes; what it throws is said in words. Gives whether it went through.
 * @param {() => Promise<unknown>} work
 */
export async function tried(work) {
  try {
    await work();
    return true;
  } catch (error) {
    say(told(error));
    return false;
  }
}
