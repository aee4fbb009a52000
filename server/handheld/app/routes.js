// The app's table of contents: which address shows which screen. A screen is loaded when it is first asked for.

/** @type {readonly import("./parts/router.js").Place[]} */
export const ROUTES = [
  { pattern: "/", screen: "today" },
  { pattern: "/find", screen: "find" },
  { pattern: "/find/:draft", screen: "find" },
  { pattern: "/findings", screen: "findings" },
  { pattern: "/findings/:id", screen: "finding" },
  { pattern: "/map", screen: "map" },
  { pattern: "/inspect", screen: "inspect" },
  { pattern: "/inspect/:draft", screen: "inspect" },
  { pattern: "/register", screen: "register" },
  { pattern: "/letter", screen: "letter" },
  { pattern: "/letter/:draft", screen: "letter" },
  { pattern: "/enforcement", screen: "enforcement" },
  { pattern: "/enforcement/:draft", screen: "enforcement" },
  { pattern: "/tasks", screen: "tasks" },
  { pattern: "/tasks/:id", screen: "task" },
  { pattern: "/conflicts", screen: "conflicts" },
  { pattern: "/conflicts/:id", screen: "conflicts" },
  { pattern: "/sync", screen: "sync" },
  { pattern: "/settings", screen: "settings" },
  { pattern: "/enrol", screen: "enrol" },
  { pattern: "/enrol/:code", screen: "enrol" },
];
