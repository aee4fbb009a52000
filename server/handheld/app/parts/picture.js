// A picture as well as this device has it: at once what is here, then what the server has better.

import { useDevice } from "./device.js";
import { useEffect, useState } from "./html.js";
import { tried } from "./tried.js";

/** Its address, undefined while it is looked for, null where there is none here. @param {string | null} sha256 */
export function usePicture(sha256) {
  const device = useDevice(), [url, setUrl] = useState(/** @type {string | null | undefined} */ (undefined));
  useEffect(() => {
    let made = "", over = false;
    async function look() {
      const found = sha256 ? await device.picture(sha256) : null, before = made;
      if (over) return;
      made = found ? URL.createObjectURL(found) : "";
      setUrl(made || null);
      URL.revokeObjectURL(before);
    }
    tried(async () => {
      await look();
      if (sha256 && await device.bringPicture(sha256, "screen")) await look();
    });
    return () => {
      over = true;
      URL.revokeObjectURL(made);
    };
  }, [device, sha256]);
  return url;
}
