// Pictures for screens: one as well as this device has it, at once what is here, then what the server has better; and whether
// the server will take one.

import { t } from "../words.js";
import { useDevice } from "./device.js";
import { useEffect, useState } from "./html.js";
import { tried } from "./tried.js";

/** What every server takes, and what it takes where it was set up to (protocol section 6). */
const TAKEN = ["image/jpeg", "image/png", "image/webp"], PERHAPS = ["image/heic", "image/avif"];

/** Its address, undefined while it is looked for, null where there is none here. @param {string | null} sha256 */
export function usePicture(sha256) {
  const device = useDevice(), [url, setUrl] = useState(/** @type {string | null | undefined} */ (undefined));
  useEffect(() => {
    let made = "", over = false, best = !sha256;
    async function look() {
      const found = sha256 ? await device.picture(sha256) : null, before = made;
      if (over) return;
      made = found ? URL.createObjectURL(found) : "";
      setUrl(made || null);
      URL.revokeObjectURL(before);
    }
    const ask = () => tried(async () => {
      if (!made) await look();
      if (!best && (best = await device.bringPicture(/** @type {string} */ (sha256), "screen"))) await look();
    });
    ask();
    const stop = device.onChange((data) => void (data && !best && ask()));
    return () => {
      over = true;
      stop();
      URL.revokeObjectURL(made);
    };
  }, [device, sha256]);
  return url;
}

/** What to say of one that is not here. */
export const awaited = (which = t("照片", "The photo")) => t(`${which}还不在本机,有网(或 Wi-Fi)时会取来。`, `${which} is not here yet; it comes with a network (or Wi-Fi).`);

/** What to say of a photo that the server may refuse, empty where it does not. @param {import("../device/types.d.ts").Device} device
 * @param {string} id of its evidence */
export async function doubtOf(device, id) {
  const type = (await device.get("evidence", id))?.fields.media_type;
  if (TAKEN.includes(type)) return "";
  if (!PERHAPS.includes(type)) return t("这不是服务器认得的照片,请重拍。", "The server knows no such picture and will refuse it: take it again.");
  const known = (await device.records("evidence")).some(({ fields }) => fields.media_type === type && fields.media?.state === "verified");
  const name = type.slice(6).toUpperCase();
  return known ? "" : t(`这张是 ${name} 格式,服务器可能不收。请在手机相机设置里改用 JPEG(“兼容性最佳”),再拍一张。`,
    `This is ${name}, which the server may refuse. Set the camera to JPEG ("most compatible") and take it again.`);
}
