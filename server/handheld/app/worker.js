// The service worker's cache: one edition at a time. EDITION stands in front, put there by the server.

self.addEventListener("install", () => {});
