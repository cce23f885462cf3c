/* What a script adds to pages that already work without one: keys, focus, announcements, unsent text.
   No text for readers lives here; it comes from data-* attributes, in the reader's language. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const seen = (el) => el && !el.disabled && el.getClientRects().length > 0;
  document.documentElement.classList.add("js");
  /* ── saying things aloud ── */
  const say = (text) => {
    const live = $("#live");
    if (!live || !text) return;
    live.textContent = ""; // the same words twice are still said twice
    setTimeout(() => { live.textContent = text; }, 60);
  };
  let retry = null;
  const banner = (kind, again) => {
    const box = $("#banner");
    if (!box) return;
    retry = again || null;
    $("span", box).textContent = box.dataset[kind];
    $("[data-retry]", box).hidden = !retry;
    box.hidden = false;
  };
  /* ── unsent text: leaving asks once; drafts are kept only where a field says they may be ── */
  let leaving = false;
  const unsent = (form) => $$("textarea, input[type=text]", form).some((el) => el.value !== el.defaultValue);
  addEventListener("beforeunload", (event) => { if (!leaving && $$("form[data-guard]").some(unsent)) event.preventDefault(); });
  const drafts = "draft:", draftKey = (el) => drafts + location.pathname + ":" + el.name;
  const forget = (match) => Object.keys(sessionStorage).filter((key) => key.startsWith(match)).forEach((key) => sessionStorage.removeItem(key));
  /* ── #dialog: a fragment of a page that also stands alone ── */
  let opener = null;
  const dialog = () => $("#dialog");
  const closeDialog = () => {
    const box = dialog();
    if (!box || !box.firstElementChild) return false;
    box.replaceChildren();
    box.removeAttribute("role");
    $$("[inert]").forEach((el) => { el.inert = false; });
    if (opener && opener.isConnected) opener.focus();
    opener = null;
    return true;
  };
  const openDialog = () => {
    const box = dialog();
    const behind = $(".app");
    if (!box || !box.firstElementChild) return;
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-label", ($("h1, h2", box) || box).textContent.trim() || box.dataset.label);
    if (behind) behind.inert = true;
  };
  /* ── each part of a page that has just arrived ── */
  const arrive = (root) => {
    $$("[data-js][hidden]", root).forEach((el) => { el.hidden = false; });
    $$("textarea[data-draft]", root).forEach((el) => {
      const kept = sessionStorage.getItem(draftKey(el));
      if (kept && !el.value) el.value = kept;
    });
    $$("[data-count]", root).forEach(count);
    $$("[data-live]", root).forEach(listen);
  };
  const count = (el) => {
    const area = document.getElementById(el.dataset.count);
    if (area && area.maxLength > 0) el.textContent = el.dataset.text.replace("{n}", area.maxLength - area.value.length);
  };
  /* One stream a page; it only rings, the server then shows what is new. Without it: every 30 s. */
  const listen = (el) => {
    if (el.dataset.listening) return;
    el.dataset.listening = "1";
    let source = null, timer = null;
    const ring = () => { if (el.isConnected && !document.hidden) htmx.trigger(el, "live"); };
    const stop = () => { if (source) source.close(); clearInterval(timer); source = timer = null; };
    const start = () => {
      stop();
      if (!el.isConnected || document.hidden) return;
      source = new EventSource(el.dataset.live);
      source.onmessage = ring;
      source.onerror = () => { if (source && source.readyState === 2 && !timer) timer = setInterval(ring, 30000); };
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? stop() : (start(), ring())));
    addEventListener("pagehide", stop);
    start();
  };
  /* ── clicks and typing ── */
  document.addEventListener("click", async (event) => {
    const at = (selector) => event.target.closest(selector);
    const copy = at("[data-copy]");
    if (copy) { await navigator.clipboard.writeText(copy.dataset.copy); say(copy.dataset.done); copy.classList.add("ok-t"); }
    if (at("[data-print]")) print();
    if (at("[data-dismiss], [data-retry]")) $("#banner").hidden = true;
    if (at("[data-retry]") && retry) retry();
    if (at("#dialog [data-close]") || event.target === dialog()) { event.preventDefault(); closeDialog(); }
    const menu = $("details.menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("input", (event) => {
    const el = event.target;
    if (el.matches("textarea[data-draft]")) sessionStorage.setItem(draftKey(el), el.value);
    $$("[data-count]").filter((box) => box.dataset.count === el.id).forEach(count);
  });
  document.addEventListener("change", (event) => {
    const el = event.target;
    if (el.matches("[data-all]")) $$(".row .check", el.form).forEach((box) => { box.checked = el.checked; });
    if (el.matches(".check") && el.form) {
      $$("[data-picked]", el.form).forEach((box) => { box.textContent = $$(".row .check:checked", el.form).length; });
    }
    if (el.matches("[data-autosubmit]")) el.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-logout]")) forget(drafts);
    $$("textarea[data-draft]", form).forEach((el) => sessionStorage.removeItem(draftKey(el)));
    if (form.method === "post") leaving = true;
    setTimeout(() => { leaving = false; }, 3000);
  });
  /* ── the keyboard map: every key presses something that can be seen and clicked ── */
  const rows = () => $$(".tbl .row, [data-row]").filter(seen);
  const step = (by) => {
    const all = rows();
    if (!all.length) return false;
    const now = all.findIndex((row) => row.classList.contains("cur"));
    const next = all[Math.min(Math.max(now + by, 0), all.length - 1)];
    all.forEach((row) => row.classList.toggle("cur", row === next));
    next.scrollIntoView({ block: "nearest" });
    ($("a[href]", next) || next).focus({ preventScroll: true });
    return true;
  };
  const press = (key) => {
    const el = $$("[data-key]").find((one) => one.dataset.key === key && seen(one));
    if (!el) return false;
    if (el.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) { el.focus(); return true; }
    el.click();
    const area = el.matches("input[type=radio]") && el.form && $("textarea", el.form);
    if (area) area.focus();
    return true;
  };
  const choose = (by) => {
    const all = [$("#palette-q"), ...$$("#palette [data-go]")], next = all[all.indexOf(document.activeElement) + by];
    if (next) next.focus();
    return !!next;
  };
  const rowKeys = {
    j: () => step(1),
    k: () => step(-1),
    x: () => { const box = $(".row.cur .check"); if (box) box.click(); return !!box; },
    enter: () => { const link = document.activeElement === document.body && $(".row.cur a[href]"); if (link) link.click(); return !!link; },
  };
  const escape = (target) => {
    const menu = $("details.menu[open]");
    const shown = $(".overlay:target [data-close]");
    if (closeDialog()) return;
    if (menu) { menu.open = false; $("summary", menu).focus(); }
    else if (shown) shown.click();
    else if (target.matches("input, textarea, select")) target.blur();
  };
  let first = "";
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") { escape(target); return; }
    if ((event.metaKey || event.ctrlKey) && event.key === "Enter" && target.form) { event.preventDefault(); target.form.requestSubmit(); return; }
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") { if (press("mod k") || press("/")) event.preventDefault(); return; }
    if (/^Arrow(Up|Down)$/.test(event.key) && target.closest("#palette") && choose(event.key === "ArrowUp" ? -1 : 1)) { event.preventDefault(); return; }
    const typing = target.isContentEditable || (target.matches("input, textarea, select") && !target.matches("[type=checkbox], [type=radio]"));
    if (event.metaKey || event.ctrlKey || event.altKey || typing || document.body.dataset.keys === "off") return;
    const key = event.key.toLowerCase();
    const both = first ? first + " " + key : key;
    first = !first && key === "g" ? "g" : "";
    if (first) { setTimeout(() => { first = ""; }, 1200); return; }
    const boxed = dialog() && dialog().firstElementChild;
    if (!boxed && (press(both) || (rowKeys[both] && rowKeys[both]()))) event.preventDefault();
  });
  /* ── htmx: say what is loading, put focus where the reader was, keep what was typed ── */
  const on = (name, act) => document.addEventListener("htmx:" + name, (event) => act(event.detail, event));
  on("beforeRequest", (detail) => { detail.target.setAttribute("aria-busy", "true"); if (detail.target === dialog()) opener = detail.elt; });
  on("afterRequest", (detail) => {
    detail.target.removeAttribute("aria-busy");
    if (detail.successful) { const box = $("#banner"); if (box) box.hidden = true; }
  });
  on("load", (detail) => arrive(detail.elt));
  on("afterSettle", (detail) => {
    if (detail.target === dialog()) openDialog();
    const focus = $("[data-focus], [autofocus]", detail.elt) || (detail.elt.matches("[data-focus]") && detail.elt);
    if (focus) focus.focus();
    $$("[data-announce]", detail.elt).forEach((el) => say(el.textContent));
  });
  const again = (detail) => () => (detail.elt.matches("form") ? detail.elt.requestSubmit() : htmx.trigger(detail.elt, "click"));
  on("responseError", (detail) => {
    const status = detail.xhr.status;
    if (status === 401) location.reload();
    else banner(status === 429 ? "busy" : status < 500 ? "denied" : "fault", status < 500 && status !== 429 ? null : again(detail));
  });
  on("sendError", (detail) => banner("offline", again(detail)));
  on("timeout", (detail) => banner("fault", again(detail)));
  arrive(document);
  if ($("#errors")) $("#errors").focus();
  $$("[data-announce]").forEach((el) => say(el.textContent));
  if ($("form[action='/login']")) forget(drafts);
})();
