// What the page does beyond links and forms: sources in place, live jobs, dropped files, estimates.
// Every link and form works without it. Text comes from the server as finished HTML.
"use strict";

const FRAGMENT = { headers: { "x-fragment": "1" }, credentials: "same-origin" };

async function fragment(path, options) {
  const reply = await fetch(path, { ...FRAGMENT, ...options });
  const text = await reply.text();
  if (reply.ok) return text;
  if (reply.status === 401) location.assign("/login?next=" + encodeURIComponent(location.pathname));
  let message = "The service did not answer as expected (" + reply.status + ").";
  try { message = JSON.parse(text).error.message; } catch { /* keep ours */ }
  throw new Error(message);
}

function said(message) {
  const box = document.createElement("p");
  box.className = "problem";
  box.setAttribute("role", "alert");
  box.textContent = message;
  return box;
}

// The pane scrolls to the very words; the page itself moves only where the pane lies below.
function reveal(pane, move) {
  const mark = pane.querySelector("mark.quote") || pane.querySelector("mark");
  if (!mark) { pane.scrollTop = 0; return; }
  const head = pane.querySelector("header");
  const top = mark.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
  const room = head ? head.offsetHeight : 0;
  pane.scrollTop = top - room - Math.max(24, (pane.clientHeight - room) * 0.3);
  const row = pane.querySelector("tr.lit");
  if (row) {
    const value = row.closest(".scroll");
    value.scrollLeft = 0;
    if (row.getBoundingClientRect().top < mark.getBoundingClientRect().top) pane.scrollTop = 0;
  }
  const place = pane.getBoundingClientRect();
  if (move && (place.top < 0 || place.top > innerHeight * 0.6)) pane.scrollIntoView({ block: "start" });
}

async function openSource(chip) {
  const pane = document.getElementById("source");
  pane.setAttribute("aria-busy", "true");
  try {
    pane.innerHTML = await fragment(chip.dataset.source);
    history.replaceState(null, "", chip.getAttribute("href").replace("#source", ""));
  } catch (error) {
    pane.replaceChildren(said(error.message));
  }
  pane.removeAttribute("aria-busy");
  for (const other of document.querySelectorAll("[data-source]")) {
    if (other.dataset.source === chip.dataset.source) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
  reveal(pane, true);
}

function sources() {
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-source]");
    if (!chip || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    openSource(chip);
  });
  const pane = document.getElementById("source");
  if (pane) reveal(pane, location.hash === "#source");
  const whole = document.querySelector("[data-scroll-mark] mark.quote, [data-scroll-mark] mark");
  if (whole) whole.scrollIntoView({ block: "center" });
}

// A part of the page that follows a job: asked for anew when an event says that something changed.
function follow(place) {
  const stream = new EventSource(place.dataset.live);
  let due = null, busy = false;
  async function refresh() {
    due = null;
    if (!place.dataset.fragment) return;
    if (busy) { later(); return; }
    busy = true;
    try { put(place, await fragment(place.dataset.fragment)); } catch { /* the next event tries again */ }
    busy = false;
  }
  function later() { if (due === null) due = setTimeout(refresh, 700); }
  stream.addEventListener("progress", later);
  stream.addEventListener("item", later);
  stream.addEventListener("end", async () => {
    stream.close();
    clearTimeout(due);
    await refresh();
    if (place.dataset.atEnd === "reload") location.reload();
  });
  addEventListener("pagehide", () => stream.close());
}

function put(place, html) {
  // A half-read table or an open menu is not pulled away from under the reader's hands.
  const held = document.activeElement && place.contains(document.activeElement) ? document.activeElement : null;
  const name = held && held.textContent.trim();
  const scrolled = [...place.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  if (place.dataset.part) {
    place.querySelector(place.dataset.part).replaceWith(fresh.querySelector(place.dataset.part));
  } else {
    place.replaceChildren(...fresh.childNodes);
  }
  place.querySelectorAll(".scroll").forEach((one, n) => { one.scrollLeft = scrolled[n] || 0; });
  if (name) [...place.querySelectorAll("button, a")].find((one) => one.textContent.trim() === name)?.focus();
}

function forms() {
  document.addEventListener("submit", (event) => {
    const form = event.target, button = form.querySelector("button.main");
    if (!form.dataset.busy || !button) return;
    const word = button.textContent, begun = Date.now();
    button.setAttribute("aria-busy", "true");
    setTimeout(() => { button.disabled = true; });
    const tick = () => {
      const seconds = Math.round((Date.now() - begun) / 1000);
      button.lastChild.textContent = form.dataset.busy + (seconds > 1 ? " (" + seconds + " s)" : "");
    };
    tick();
    const timer = setInterval(tick, 1000);
    addEventListener("pageshow", (shown) => {
      if (!shown.persisted) return;
      clearInterval(timer);
      button.disabled = false;
      button.removeAttribute("aria-busy");
      button.textContent = word;
    }, { once: true });
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && box.matches("[data-enter]")) {
      event.preventDefault();
      if (box.value.trim()) box.form.requestSubmit();
    }
  });
}

function drops(form) {
  const input = form.querySelector("input[type=file]"), out = form.querySelector("output");
  const list = () => {
    if (!out) return;
    const names = [...input.files].map((file) => file.name);
    out.textContent = names.length > 3 ? names.slice(0, 3).join(", ") + " and " + (names.length - 3) + " more" : names.join(", ");
  };
  input.addEventListener("change", list);
  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("over-it"); });
  }
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("over-it");
  });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over-it");
    const files = new DataTransfer();
    for (const file of event.dataTransfer.files) if (input.multiple || !files.files.length) files.items.add(file);
    if (!files.files.length) return;
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function estimates(form) {
  const box = document.getElementById("estimate"), button = form.querySelector(".estimate-now");
  let turn = 0, due = null;
  async function look() {
    const mine = ++turn;
    box.setAttribute("aria-busy", "true");
    let shown;
    try {
      const html = await fragment(form.dataset.estimate, { method: "POST", body: new FormData(form) });
      shown = [...new DOMParser().parseFromString(html, "text/html").body.childNodes];
    } catch (error) { shown = [said(error.message)]; }
    if (mine !== turn) return;
    box.removeAttribute("aria-busy");
    box.replaceChildren(...shown);
  }
  const asked = () => form.elements.pasted.value.trim() || form.elements.file.files.length;
  form.addEventListener("change", () => {
    clearTimeout(due);
    if (asked()) due = setTimeout(look, 150);
  });
  button.hidden = false;
  button.addEventListener("click", look);
}

sources();
forms();
document.querySelectorAll("[data-drop]").forEach(drops);
document.querySelectorAll("form[data-estimate]").forEach(estimates);
document.querySelectorAll("[data-live]:not([data-over])").forEach(follow);
// Menus close when the reader goes elsewhere.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.confirm[open]").forEach((one) => { if (!one.contains(event.target)) one.open = false; });
});
