// A form that outlives its page: each change is on disk before the next, and a killed browser finds it again. What
// another tab writes into it is taken in at once, so that no tab changes what is no longer so.

import { useDevice } from "./device.js";
import { failureWords } from "./failures.js";
import { useCallback, useEffect, useRef, useState } from "./html.js";

/**
 * The draft of that id, and the way to change it. `save` resolves when what stands in the form is on disk;
 * `found` says that an earlier page left it, `kept` that it is on disk, `gone` that another tab has finished it.
 * @template T
 * @param {string} id
 * @param {string} kind
 * @param {() => T} fresh what a new one begins with
 */
export function useDraft(id, kind, fresh) {
  const device = useDevice();
  const [value, setValue] = useState(/** @type {T | undefined} */ (undefined));
  const [problem, setProblem] = useState(""), [found, setFound] = useState(false), [kept, setKept] = useState(false);
  const [unread, setUnread] = useState(/** @type {unknown} */ (null));
  if (unread) throw unread; // the screen tells it in words
  const [gone, setGone] = useState(false);
  const form = useRef({ value: /** @type {T | undefined} */ (undefined), saving: Promise.resolve(), over: false,
    onDisk: /** @type {T | undefined} */ (undefined) }); // the same as the value when all is kept

  useEffect(() => {
    let away = false, known = "";
    const { current } = form;
    const look = () => device.drafts().then((drafts) => {
      const there = drafts.find((draft) => draft.id === id), said = JSON.stringify(there?.value ?? null);
      if (away || current.over || current.value !== current.onDisk || said === known) return;
      if (!known) setFound(Boolean(there));
      else if (!there) setGone(true);
      known = said;
      setKept(Boolean(there));
      setValue(current.value = current.onDisk = there ? there.value : current.value ?? fresh());
    }).catch((failure) => (known ? setProblem(failureWords(failure)) : setUnread(failure)));
    look();
    const stop = device.onChange((data) => void (data && look()));
    return () => {
      away = true;
      stop();
    };
  }, [device, id]);

  const save = useCallback(() => {
    const { current } = form;
    current.saving = current.saving.then(async () => {
      if (current.over) return;
      const { value: given } = current;
      try {
        await device.saveDraft(id, kind, given);
        current.onDisk = given;
        setProblem("");
        setKept(true);
      } catch (failure) {
        setProblem(failureWords(failure)); // what was written stays in the form, and the next change tries again
      }
    });
    return current.saving;
  }, [device, id, kind]);

  const change = useCallback((/** @type {Partial<T>} */ part) => {
    form.current.value = { .../** @type {T} */ (form.current.value), ...part };
    setValue(form.current.value);
    return save();
  }, [save]);

  /** Drop the draft: its record is made, or nothing was in it. */
  const drop = useCallback(async () => {
    form.current.over = true;
    await form.current.saving;
    await device.dropDraft(id);
  }, [device, id]);

  return { value, change, save, drop, found, kept, gone, problem };
}
