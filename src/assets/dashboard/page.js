/** What pages do better with a script; without it, all of them work. */
const root = document.documentElement;
root.classList.add("js");
// To be had over https, and on localhost.
if (navigator.clipboard) root.classList.add("copies");

// Times are written by the server: it is told once where the reader is.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const noted = `vst_tz=${encodeURIComponent(zone)}`;
if (zone && !document.cookie.split("; ").includes(noted)) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store is not to be had over plain http.
  document.cookie = `${noted}; Path=/_vestibule; Max-Age=31536000; SameSite=Strict`;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const words = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = words;
  }, 1500);
});

// A part of a page that is asked for again and again while somebody looks at it.
for (const live of document.querySelectorAll("[data-live]")) {
  const every = Number(live.dataset.live) * 1000;
  const isPaused = () => document.hidden || document.querySelector("input[data-live-off]:checked") !== null;
  setInterval(async () => {
    if (isPaused() || live.contains(document.activeElement)) return;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(live.id);
    if (next && next.innerHTML !== live.innerHTML) live.innerHTML = next.innerHTML;
  }, every);
}

// Whoever made a mistake is taken to where it is told.
document.querySelector("[data-focus]")?.focus();
