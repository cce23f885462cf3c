/* A talk without reloading.  The page works without this file; here is only what a line adds:
   messages appear at once, are kept until the server says it has them, and are sent again when the line comes back.
   No text for readers lives here; it comes from data-* attributes, in the reader's language. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  document.documentElement.classList.add("js");
  const box = $("#chat"), queue = $("#queue");
  /* Storage may be forbidden in a frame of another site; then it lasts as long as the page. */
  const memory = {};
  const store = {
    get: (key) => { try { return sessionStorage.getItem(key); } catch { return memory[key] || null; } },
    set: (key, value) => { try { sessionStorage.setItem(key, value); } catch { memory[key] = value; } },
    drop: (key) => { try { sessionStorage.removeItem(key); } catch { delete memory[key]; } },
  };
  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
  const wsUrl = (path) => location.origin.replace(/^http/, "ws") + path;
  /* A line that comes back by itself: at once when the network or the tab does, else a little later each time. */
  const keepLine = (path, { hello, heard, up, down }) => {
    let socket = null, tries = 0, timer = null, waiting = null, over = false;
    /* A connection cut on the way says nothing: what is asked has an answer soon, or it is another connection's turn. */
    const ask = (frame) => {
      if (!socket || socket.readyState !== 1) return false;
      socket.send(JSON.stringify(frame));
      if (frame.type !== "typing" && !waiting) waiting = setTimeout(drop, 20000);
      return true;
    };
    const hush = () => { clearTimeout(waiting); waiting = null; };
    const drop = () => {
      const dead = socket;
      socket = null;
      hush();
      if (dead) dead.close();
      tries += 1;
      over = down(1006, tries) === true;
      open();
    };
    const open = () => {
      clearTimeout(timer);
      if (over || (socket && socket.readyState < 2)) return;
      const mine = (socket = new WebSocket(wsUrl(path)));
      mine.onopen = () => { if (mine === socket) ask({ type: "hello", ...hello() }); };
      mine.onmessage = (event) => {
        if (mine !== socket) return;
        hush();
        const frame = JSON.parse(event.data);
        if (tries || frame.type === "hello") { tries = 0; up(); }
        heard(frame);
      };
      mine.onclose = (event) => {
        if (mine !== socket) return;
        socket = null;
        hush();
        tries += 1;
        over = down(event.code, tries) === true;
        const wait = event.code === 4429 ? 30000 : Math.min(30000, 500 * 2 ** tries) * (0.75 + Math.random() / 2);
        if (!over) timer = setTimeout(open, wait);
      };
    };
    const beat = () => ask({ type: "beat" });
    const look = () => { open(); beat(); };
    setInterval(beat, 45000);
    addEventListener("online", look);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
    open();
    return { send: ask };
  };
  const swap = (page, ...ids) => ids.forEach((id) => {
    const now = document.getElementById(id), then = page.getElementById(id);
    if (now && then) now.replaceChildren(...then.childNodes);
  });
  const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

  /* ── the staff's list ── */
  if (queue) {
    let first = true, asked = null;
    keepLine(queue.dataset.line, {
      hello: () => ({}), up: () => {},
      down: (code) => { if (code === 4401) location.reload(); return code === 4401 || code === 4404; },
      heard: (frame) => {
        if (frame.type !== "queue") return;
        if (first) { first = false; return; }
        clearTimeout(asked);
        asked = setTimeout(async () => {
          const answer = await fetch(location.href, { headers: { "HX-Request": "true" } });
          if (answer.ok) swap(await parsed(answer), "queue");
        }, 300);
      },
    });
  }
  if (!box) return;

  /* ── the frame on another site: known by a token, never by a cookie ── */
  const data = box.dataset, framed = "framed" in data, staff = "staff" in data;
  const tokenKey = `chat:${data.key}:token`;
  let token = data.token || "";
  if (framed) {
    $$("[data-js][hidden]").forEach((el) => { el.hidden = false; });
    if (token) store.set(tokenKey, token);
    const kept = store.get(tokenKey), tried = `chat:${data.key}:tried`;
    if (!data.talk && kept && store.get(tried) !== kept && !$("#errors")) {
      store.set(tried, kept);
      $("#resume [name=token]").value = kept;
      $("#resume").submit();
      return;
    }
    if (!data.talk && kept && !$("#errors")) store.drop(tokenKey);
    if (data.talk) store.drop(tried);
    document.addEventListener("click", (event) => {
      if (event.target.closest("[data-close-frame]")) parent.postMessage("huiyin-chat:close", "*");
      if (event.target.closest("[data-new]")) store.drop(tokenKey);
      const copy = event.target.closest("[data-copy]");
      if (copy && navigator.clipboard) navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.append(" ✓"); }, () => {});
    });
  }
  if (!data.talk) return;

  /* ── the log ── */
  const log = $("#log"), beside = $("#beside"), typing = $("#typing"), note = $("#line");
  const outKey = `chat:${data.talk}:${staff ? "s" : "v"}:out`, draftKey = `chat:${data.talk}:${staff ? "s" : "v"}:draft`;
  const out = JSON.parse(store.get(outKey) || "[]");
  const keepOut = () => (out.length ? store.set(outKey, JSON.stringify(out)) : store.drop(outKey));
  let seq = Math.max(0, ...$$("[data-seq]", log).map((el) => Number(el.dataset.seq)));
  let version = Number(data.version), live = null, later = null, unseen = 0;
  const title = document.title;
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const el = (tag, cls, text) => { const made = document.createElement(tag); if (cls) made.className = cls; if (text) made.textContent = text; return made; };
  const place = (made) => { const low = atEnd(); log.insertBefore(made, typing); if (low) toEnd(); return made; };
  const sizeOf = (n) => (n < 1e6 ? `${Math.max(1, Math.round(n / 1e3))} kB` : `${(n / 1e6).toFixed(1)} MB`);
  const bubble = (frame) => {
    if (frame.side === "house") { const line = el("p", "sys", `${frame.at} ${frame.body}`); line.dataset.seq = frame.seq; return line; }
    const made = el("div", frame.side === "me" ? "bubble me" : "bubble");
    const who = frame.who && frame.side !== "me" ? `${frame.who} · ${frame.at}` : frame.at;
    made.append(el("small", "", who));
    if (frame.body) made.append(el("p", "pre", frame.body));
    if (frame.file) {
      const link = el("a", "wg-file");
      link.href = `${data.files}/${frame.file.id}`;
      link.dataset.file = frame.file.name;
      link.append(el("span", "clip", frame.file.name), el("small", "", sizeOf(frame.file.size)));
      made.append(link);
    }
    made.dataset.seq = frame.seq;
    if (frame.id) made.dataset.id = frame.id;
    return made;
  };
  const pending = (message) => {
    const made = place(bubble({ side: "me", at: "", body: message.body, id: message.id, seq: 0 }));
    made.classList.add("pending");
    $("small", made).textContent = data.sending;
    delete made.dataset.seq;
    toEnd();
  };
  const settle = (id) => {
    const at = out.findIndex((message) => message.id === id);
    if (at >= 0) { out.splice(at, 1); keepOut(); flush(); }
  };
  const arrived = (frame) => {
    if (frame.seq <= seq) { if (frame.id) settle(frame.id); return; }
    seq = frame.seq;
    const mine = frame.id && $$(".pending", log).find((one) => one.dataset.id === frame.id);
    if (mine) mine.remove();
    if (frame.id) settle(frame.id);
    typing.hidden = true;
    const made = bubble(frame), low = atEnd();
    const before = $(".pending", log) || typing; // what is not kept yet stands below what is
    log.insertBefore(made, before);
    if (low || frame.side === "me") toEnd();
    if (frame.side === "me" && beside && !staff && !$(".wg-card", beside)) refresh(false); // now there is something to file
    if (document.hidden && frame.side === "other") { unseen += 1; document.title = `(${unseen}) ${title}`; }
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { unseen = 0; document.title = title; } });
  const refused = (frame) => {
    if (frame.code === "throttled") { later = later || setTimeout(() => { later = null; flush(); }, (frame.after || 15) * 1000); return; }
    const made = $$(".pending", log).find((one) => one.dataset.id === frame.re);
    const lost = out.find((message) => message.id === frame.re);
    if (!lost) return;
    settle(frame.re);
    if (!made) return;
    made.classList.replace("pending", "bad");
    $("small", made).textContent = [data.refused, Object.values(frame.fields || {})[0] || frame.message].filter(Boolean).join(" · ");
    const area = $("#f-body");
    if (area && !area.value) { area.value = lost.body; store.set(draftKey, lost.body); }
  };

  /* ── sending: into the outbox first, out of it only when the server has it; one after the other, so that the order stays ── */
  const flush = () => { if (live && out.length && !later) live.send({ type: "say", ...out[0] }); };
  const say = (body) => {
    const message = { id: newId(), body };
    out.push(message);
    keepOut();
    pending(message);
    if (out.length === 1) flush();
  };
  const fields = (more) => {
    const form = $("form[data-say]"), sent = form ? new FormData(form) : new FormData();
    Object.entries({ token, ...more }).forEach(([name, value]) => sent.set(name, value));
    return new URLSearchParams(sent);
  };
  /* No line is to be had: the same messages by the form, which knows them again by their ids. */
  const post = async () => {
    for (const message of [...out]) {
      try {
        const answer = await fetch(data.here, { method: "POST", body: fields({ act: "say", ...message, canned: "" }) });
        if (answer.status === 409 || answer.status === 422) { refused({ re: message.id, message: "" }); continue; }
        if (!answer.ok) return;
        const page = await parsed(answer); // somebody else's page is no receipt
        if (!$$("#log [data-id]", page).some((one) => one.dataset.id === message.id)) return;
        settle(message.id);
      } catch { return; }
    }
    await refresh(true);
  };
  const dirty = () => beside && $$("input:not([type=hidden]), textarea", beside).some((one) => (one.type === "radio" || one.type === "checkbox" ? one.checked !== one.defaultChecked : one.value !== one.defaultValue));
  const refresh = async (all) => {
    try {
      const asked = framed ? { method: "POST", body: fields({ act: "resume" }) } : {};
      const page = await parsed(await fetch(data.here, asked));
      const room = page.getElementById("chat");
      if (!room || !room.dataset.talk) { location.reload(); return; }
      if (all) {
        $$("#log [data-seq]", page).filter((one) => Number(one.dataset.seq) > seq).forEach((one) => {
          seq = Number(one.dataset.seq);
          const mine = one.dataset.id && $$(".pending", log).find((two) => two.dataset.id === one.dataset.id);
          if (mine) mine.remove();
          log.insertBefore(document.importNode(one, true), $(".pending", log) || typing);
        });
        toEnd();
      }
      version = Number(room.dataset.version);
      const reading = beside && $("details[open]", beside);
      if (!dirty()) swap(page, "beside");
      if (reading && beside && $("details", beside)) $("details", beside).open = true;
      if (!framed || staff) swap(page, "state");
      swap(page, "door");
      if (!$("#f-body") !== !page.getElementById("f-body")) { swap(page, "foot"); ready(); }
      $$("[data-js][hidden]").forEach((one) => { one.hidden = false; });
      if (atEnd() || !dirty()) toEnd();
    } catch { /* the line says it too, and asks again */ }
  };
  const ready = () => {
    const area = $("#f-body");
    if (!area) return;
    const draft = store.get(draftKey);
    if (draft && !area.value) area.value = draft;
  };

  /* ── what people do ── */
  let told = 0;
  document.addEventListener("input", (event) => {
    if (event.target.id !== "f-body") return;
    if (event.target.value) store.set(draftKey, event.target.value); else store.drop(draftKey);
    if (live && Date.now() - told > 3000 && event.target.value) { told = Date.now(); live.send({ type: "typing" }); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "f-body" || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("[data-canned]")) {
      const chosen = target.selectedOptions[0], area = $("#f-body");
      if (chosen.dataset.text) { area.value = area.value ? `${area.value}\n${chosen.dataset.text}` : chosen.dataset.text; area.dispatchEvent(new Event("input", { bubbles: true })); area.focus(); }
      target.value = "";
    }
    if (target.matches("#f-file") && target.files.length) target.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const hidden = $("[name=token]", form);
    if (framed && hidden) hidden.value = token;
    if (form.matches("[data-say]")) {
      event.preventDefault();
      const area = $("#f-body"), body = area.value.trim();
      if (!body) return;
      area.value = "";
      store.drop(draftKey);
      say(body);
      area.focus();
    } else if (form.matches("[data-file-form]")) { event.preventDefault(); upload(form); }
  });
  const upload = async (form) => {
    const input = $("#f-file", form), sent = new FormData(form);
    if (!input.files.length) return;
    sent.set("id", newId());
    input.disabled = true;
    say.note(`${data.sending} ${input.files[0].name}`);
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent, headers: staff ? {} : { "X-Chat-Token": token } });
      if (answer.ok) say.note("");
      else say.note(staff ? $("#errors", await parsed(answer))?.textContent.trim() || data.refused : (await answer.json()).message);
      if (!live) await refresh(true);
    } catch { say.note(data.waiting); }
    input.disabled = false;
    input.value = "";
  };
  say.note = (text) => { note.textContent = text; note.hidden = !text; };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-file]");
    if (!link || !framed) return;
    event.preventDefault(); // no cookie goes along in a frame, so the token has to
    const answer = await fetch(link.href, { headers: { "X-Chat-Token": token } });
    if (!answer.ok) return;
    const address = URL.createObjectURL(await answer.blob()), save = el("a");
    save.href = address;
    save.download = link.dataset.file;
    save.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  });

  /* ── the line ── */
  out.forEach(pending);
  ready();
  toEnd();
  let hush = null;
  live = keepLine(data.line, {
    hello: () => ({ after: seq, version, ...(staff ? { talk: data.talk } : { token }) }),
    up: () => { box.dataset.up = "1"; say.note(""); flush(); },
    heard: (frame) => {
      if (frame.type === "said") arrived(frame);
      else if (frame.type === "ack") settle(frame.id);
      else if (frame.type === "refused") refused(frame);
      else if (frame.type === "state" && frame.version !== version) { version = frame.version; refresh(false); }
      else if (frame.type === "typing") {
        const low = atEnd();
        typing.hidden = false;
        if (low) toEnd();
        clearTimeout(hush);
        hush = setTimeout(() => { typing.hidden = true; }, 5000);
      }
    },
    down: (code, tries) => {
      delete box.dataset.up;
      if (code === 4401) { location.reload(); return true; } // logged out: the words are kept until they are back
      if (code === 4010 || code === 4404) { if (framed) store.drop(tokenKey); say.note(""); return true; }
      if (code !== 4408) say.note(data.waiting);
      if (tries > 2) (out.length ? post() : refresh(true));
      return false;
    },
  });
})();
