// A form that outlives its page: kept on this device at every change, so that a killed browser loses no tap. What another
// tab writes into it is taken in at once, so that no tab changes what is no longer so.

import { useDevice } from "./device.js";
import { failureWords } from "./failures.js";
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { tried } from "./tried.js";

/**
 * @template T
 * @typedef {{value: T | null | undefined, found: boolean, kept: boolean, gone: boolean, problem: string,
 *   change: (part: Partial<T> | ((value: T) => Partial<T>)) => Promise<boolean>, begin: (value: T) => Promise<void>,
 *   drop: (work?: () => Promise<void>) => Promise<void>}} Draft
 */

/**
 * The draft of that id. `value` is undefined while loading; where there is none (any more) it is null, or what `fresh` begins with.
 * `found` says that an earlier page left it, `kept` that it is on disk, `gone` that another tab has finished it. `change`
 * merges a part in at once, writes behind, one after the other, and resolves when that is over with whether it is on disk: what
 * failed is told, stays in the form, and is tried again with the next change of it or when anything else found room. `begin` sets the
 * whole of it, `drop` ends it, or has `work` end it together with what is made of it, once for any number of taps; both reject when they fail.
 * @template {Record<string, any>} [T=Record<string, any>]
 * @param {string} id
 * @param {string} kind
 * @param {() => T} [fresh]
 * @returns {Draft<T>}
 */
export function useDraft(id, kind, fresh) {
  const device = useDevice();
  const [value, setValue] = useState(/** @type {T | null | undefined} */ (undefined));
  const [problem, setProblem] = useState(""), [unread, setUnread] = useState(/** @type {unknown} */ (null));
  const [found, setFound] = useState(false), [kept, setKept] = useState(false), [gone, setGone] = useState(false);
  if (unread) throw unread; // the screen tells it in words
  const form = useRef({ value: /** @type {T | null} */ (null), onDisk: /** @type {T | null} */ (null), // the same when all is kept
    ending: /** @type {Promise<void> | null} */ (null), failed: false });
  const writing = useRef(/** @type {Promise<void>} */ (Promise.resolve()));

  useEffect(() => {
    let away = false, known = "";
    const current = form.current = { value: null, onDisk: null, ending: null, failed: false };
    setValue(undefined);
    const look = () => device.drafts().then((all) => {
      const there = all.find((one) => one.id === id && one.kind === kind)?.value ?? null, said = JSON.stringify(there);
      if (away || current.value !== current.onDisk || said === known) return;
      const first = !known;
      known = said;
      if (current.ending && !there) return;
      if (first) setFound(Boolean(there));
      else if (!there) setGone(true);
      current.ending = null;
      setKept(Boolean(there));
      setValue(current.value = current.onDisk = there ?? (fresh ? current.value ?? fresh() : null));
    }).catch((failure) => (known ? setProblem(failureWords(failure)) : setUnread(failure)));
    look();
    const stop = device.onChange((data) => {
      if (data && current.failed && current.value && current.value !== current.onDisk) begin(current.value).catch(() => {}); // told as its problem
      else if (data) look();
    });
    return () => {
      away = true;
      stop();
    };
  }, [device, id, kind]);

  const write = useCallback((/** @type {() => Promise<void>} */ work) => {
    const done = writing.current.then(work);
    form.current.failed = false;
    writing.current = done.then(() => setProblem(""), (failure) => {
      form.current.failed = true;
      setProblem(failureWords(failure));
    });
    return done;
  }, []);

  const begin = useCallback((/** @type {T} */ next) => {
    const { current } = form;
    Object.assign(current, { value: next, ending: null });
    setValue(next);
    return write(async () => {
      if (current.ending) return;
      await device.saveDraft(id, kind, next);
      current.onDisk = next;
      setKept(true);
    });
  }, [device, id, kind]);

  const change = useCallback(async (/** @type {Partial<T> | ((value: T) => Partial<T>)} */ part) => {
    const { current } = form, before = /** @type {T} */ (current.value ?? {});
    if (current.ending) return false; // its record is made, or nothing was in it
    return tried(() => begin({ ...before, ...(typeof part === "function" ? part(before) : part) }));
  }, [begin]);

  const drop = useCallback((/** @type {() => Promise<void>} */ work = () => device.dropDraft(id)) => {
    const { current } = form;
    current.ending ??= write(work).then(() => {
      current.value = current.onDisk = null;
      setValue(null);
      setFound(false);
    }, (failure) => {
      current.ending = null;
      throw failure;
    });
    return current.ending;
  }, [device, id]);

  return { value, found, kept, gone, problem, change, begin, drop };
}
