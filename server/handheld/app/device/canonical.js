// RFC 8785 (JSON Canonicalization Scheme): one text for one value. Pure; serves `capture`.

/** The canonical JSON of a value; throws TypeError for what JSON cannot carry. @param {any} value @returns {string} */
export function canonical(value) {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError("JSON has no such number");
  if (typeof value === "string" && /[\ud800-\udfff]/u.test(value)) throw new TypeError("half a surrogate pair is no text");
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    // sort() compares UTF-16 code units, and numbers and strings are written as ECMAScript does: both as the RFC asks
    const members = Object.keys(value).sort().map((name) => `${canonical(name)}:${canonical(value[name])}`);
    return `{${members.join(",")}}`;
  }
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
  return text;
}
