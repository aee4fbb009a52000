// Says on a queue that new work has come. The live line carries nothing: at a poke the page is looked at again, and
// compared with what is shown. Without a line (none free, no network) the page is as it was.
const AFTER_LOAD_MS = 3000;
const BETWEEN_LOOKS_MS = 2000;

export function listen(notice) {
  let line = null;
  let looking = null;

  const look = async () => {
    looking = null;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shown = new Set(rowsOf(document));
    if (rowsOf(now).some((row) => !shown.has(row))) notice.hidden = false;
  };
  const lookSoon = () => { looking ??= setTimeout(look, BETWEEN_LOOKS_MS); };

  const follow = () => {
    if (document.hidden) {
      line?.close();
      line = null;
    } else if (!line) {
      line = new EventSource(notice.dataset.live);
      line.addEventListener("poke", lookSoon);
    }
  };
  document.addEventListener("visibilitychange", () => {
    follow();
    if (!document.hidden) lookSoon();
  });
  setTimeout(follow, AFTER_LOAD_MS);
}

const rowsOf = (page) => [...page.querySelectorAll("[data-row] [data-open]")].map((link) => link.getAttribute("href"));
