/* One button and one frame on the firm's own site.  Nothing of that page is read. */
"use strict";
(() => {
  const words = __WORDS__;
  const script = document.currentScript, home = new URL(script.src).origin;
  if (window.huiyinChat) return;
  window.huiyinChat = true;
  const shape = (el, rules) => { Object.assign(el.style, rules); return el; };
  const narrow = () => matchMedia("(max-width: 520px)").matches;
  const button = shape(document.createElement("button"), {
    position: "fixed", right: "24px", bottom: "24px", width: "52px", height: "52px", border: "0", padding: "0",
    borderRadius: "50%", background: "#23508f", color: "#fff", cursor: "pointer", zIndex: "2147483000",
    boxShadow: "0 8px 24px rgba(28,30,34,.22)",
  });
  button.type = "button";
  const svg = (path) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    Object.entries({ viewBox: "0 0 16 16", width: "22", height: "22", fill: "none", stroke: "currentColor", "stroke-width": "1.4", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }).forEach(([name, value]) => made.setAttribute(name, value));
    shape(made, { display: "block", margin: "auto" });
    line.setAttribute("d", path);
    made.append(line);
    return made;
  };
  const talk = "M2.5 4.2c0-.9.7-1.7 1.7-1.7h7.6c1 0 1.7.8 1.7 1.7v5.1c0 1-.7 1.7-1.7 1.7H7.2L4 13.6V11c-.9 0-1.5-.8-1.5-1.7z", cross = "m4 4 8 8M12 4l-8 8";
  let frame = null;
  const isOpen = () => frame && frame.style.display !== "none";
  const fit = () => {
    if (!frame) return;
    const small = narrow();
    shape(frame, small
      ? { inset: "0", width: "100%", height: "100%", borderRadius: "0", border: "0" }
      : { inset: "auto 24px 90px auto", width: "376px", height: "min(648px, calc(100vh - 110px))", borderRadius: "14px", border: "1px solid #d2cec6" });
    button.style.display = small && isOpen() ? "none" : "block";
  };
  const show = (open) => {
    if (open && !frame) {
      frame = document.createElement("iframe");
      frame.src = home + words.frame;
      frame.title = words.open;
      frame.allow = "clipboard-write";
      shape(frame, { position: "fixed", boxSizing: "border-box", background: "#f6f5f2", zIndex: "2147483001", boxShadow: "0 12px 40px rgba(28,30,34,.2)", colorScheme: "normal" });
      document.body.append(frame);
    }
    if (frame) frame.style.display = open ? "block" : "none";
    button.setAttribute("aria-label", open ? words.close : words.open);
    button.setAttribute("aria-expanded", String(open));
    button.replaceChildren(svg(open ? cross : talk));
    fit();
    if (!open) button.focus({ preventScroll: true });
  };
  button.addEventListener("click", () => show(!isOpen()));
  addEventListener("message", (event) => {
    if (frame && event.source === frame.contentWindow && event.origin === home && event.data === "huiyin-chat:close") show(false);
  });
  addEventListener("resize", fit);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && isOpen()) show(false); });
  const begin = () => { document.body.append(button); button.replaceChildren(svg(talk)); button.setAttribute("aria-label", words.open); button.setAttribute("aria-expanded", "false"); fit(); };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
