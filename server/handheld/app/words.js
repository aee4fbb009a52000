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

/** What the server says in both languages at once, "缺少必填字段 Required field missing", in the chosen one. @param {string} said */
export function inOneLanguage(said) {
  const [, chinese, english] = /^(.*[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])\s+([^\u4e00-\u9fff]*[a-z]{2}[^\u4e00-\u9fff]*)$/i.exec(said) ?? [];
  return chinese ? t(chinese, english) : said;
}

/**
 * The chosen language's words.
 * @param {string} chinese
 * @param {string} english
 */
export function t(chinese, english) {
  return language() === "en" ? english : chinese;
}
