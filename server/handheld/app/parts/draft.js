// A form that outlives its page: each change is on disk before the next, and a killed browser finds it again.

import { useDevice } from "./device.js";
import { failureWords } from "./failures.js";
import { useCallback, useEffect, useRef, useState } from "./html.js";

/**
 * The draft of that id, and the way to change it. `save` resolves when what stands in the form is on disk;
 * `found` says that an earlier page left it, `kept` that it is on disk.
 * @template T
 * @param {string} id
 * @param {string} kind
 * @param {() => T} fresh what a new one begins with
 */
export function useDraft(id, kind, fresh) {
  const device = useDevice();
  const [value, setValue] = useState(/** @type {T | undefined} */ (undefined));
  const [problem, setProblem] = useState(""), [found, setFound] = useState(false), [kept, setKept] = useState(false);
  const form = useRef({ value: /** @type {T | undefined} */ (undefined), saving: Promise.resolve(), over: false });

  useEffect(() => {
    device.drafts().then((drafts) => {
      const there = drafts.find((draft) => draft.id === id);
      form.current.value = there ? there.value : fresh();
      setFound(Boolean(there));
      setKept(Boolean(there));
      setValue(form.current.value);
    });
  }, [device, id]);

  const save = useCallback(() => {
    const { current } = form;
    current.saving = current.saving.then(async () => {
      if (current.over) return;
      try {
        await device.saveDraft(id, kind, current.value);
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

  return { value, change, save, drop, found, kept, problem };
}
