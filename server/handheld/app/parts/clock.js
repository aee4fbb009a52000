// A clock that is off is told where times are made.

import { t } from "../words.js";
import { useDevice } from "./device.js";
import { html } from "./html.js";
import { Note } from "./page.js";

const BEARABLE_MS = 2 * 60_000;

/** How far a clock is off that is off so far that its times are doubted and other zones may have been in force, ms; else 0. */
export function useClockError() {
  const { clock_offset_ms: offset } = useDevice();
  return offset !== null && Math.abs(offset) > BEARABLE_MS ? offset : 0;
}

export function ClockNote() {
  const offset = useClockError();
  if (!offset) return null;
  const [chinese, english] = amount(Math.abs(offset) / 60_000);
  return html`<${Note} kind="warn"><b>${offset > 0 ? t(`手机时钟快了约 ${chinese}`, `This clock is about ${english} fast`)
    : t(`手机时钟慢了约 ${chinese}`, `This clock is about ${english} slow`)}</b>
    <span>${t("照片的时间会因此存疑。请在手机设置里打开“自动确定时间”。", "Photo times will be doubted. Set the phone's clock to automatic.")}</span><//>`;
}

/** @param {number} minutes */
function amount(minutes) {
  if (minutes < 120) return [`${Math.round(minutes)} 分钟`, `${Math.round(minutes)} min`];
  const hours = minutes / 60;
  if (hours < 48) return [`${Math.round(hours)} 小时`, `${Math.round(hours)} h`];
  return [`${Math.round(hours / 24)} 天`, `${Math.round(hours / 24)} days`];
}
