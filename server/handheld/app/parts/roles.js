// What a photo shows of its matter: the roles of protocol section 4, in the order in which they are taken.

import { t } from "../words.js";

export const ROLES = ["scene", "close", "sign", "before", "after", "document", "other"];

const WORDS = /** @type {Record<string, () => string>} */ ({
  scene: () => t("全景", "Wide"), close: () => t("近景", "Close"), sign: () => t("店招", "Sign"),
  before: () => t("整改前", "Before"), after: () => t("整改后", "After"),
  document: () => t("文书", "Document"), other: () => t("其他", "Other"),
});

/** @param {string} role */
export function roleWords(role) {
  return WORDS[role]?.() ?? role;
}
