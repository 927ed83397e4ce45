"use strict";
// Keeps the page as things are now. Only what has changed is exchanged, so what somebody opened, selected or scrolled to stays.

const KEPT = new Set(["open", "hidden"]);

const alike = (one, other) =>
  one.nodeName === other.nodeName && one.id === other.id && one.dataset?.part === other.dataset?.part;

function renew(old, now) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name } of Array.from(old.attributes)) {
    if (!KEPT.has(name) && !now.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  let at = old.firstChild;
  for (const child of Array.from(now.childNodes)) {
    let found = at;
    while (found && !alike(found, child)) found = found.nextSibling;
    if (!found) {
      old.insertBefore(child, at);
      continue;
    }
    while (at !== found) at = removed(at);
    renew(at, child);
    at = at.nextSibling;
  }
  while (at) at = removed(at);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

let seen = new Date();
let timer;

async function look() {
  clearTimeout(timer);
  if (document.hidden) return; // looks when somebody does
  const stale = document.querySelector(".stale");
  try {
    const asked = { headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(10_000) };
    const answer = await fetch(location.href, asked);
    if (answer.status === 401) return location.reload(); // asks for the token again
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    renew(document.body, page.body);
    seen = new Date();
    stale.hidden = true;
  } catch {
    stale.textContent = `No answer since ${seen.toISOString().slice(11, 19)} UTC: this is how it was then. Asking again.`;
    stale.hidden = false;
  }
  timer = setTimeout(look, 1000 * Number(document.body.dataset.refresh));
}

document.addEventListener("visibilitychange", look);
look();
