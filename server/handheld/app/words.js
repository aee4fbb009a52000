// Two languages: Chinese first, English beside it or first, as the person chose.

const KEY = "menqian-language";

/** @returns {"zh" | "en"} */
export function language() {
  return localStorage.getItem(KEY) === "en" ? "en" : "zh";
}

/** @param {"zh" | "en"} chosen */
export function choose(chosen) {
  localStorage.setItem(KEY, chosen);
  document.documentElement.lang = chosen === "en" ? "en" : "zh-CN";
}

/**
 * The chosen language's words.
 * @param {string} chinese
 * @param {string} english
 */
export function t(chinese, english) {
  return language() === "en" ? english : chinese;
}
