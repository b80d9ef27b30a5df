// Put into pages by `fervis watch` while it serves them; never part of a site.
(() => {
  "use strict";
  const build = Number(document.currentScript.dataset.build);
  let box = null, socket = null;

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    return made;
  };

  const panel = () => {
    if (!box) {
      box = element("aside");
      box.id = "fervis-watch";
      document.body.append(box);
    }
    return box;
  };

  const show = (className, role, title, problems) => {
    const here = panel();
    here.className = className;
    here.setAttribute("role", role);
    const heading = element(problems.length ? "h2" : "span", title);
    const parts = [heading];
    if (problems.length) {
      const list = element("ul");
      for (const [place, words] of problems) {
        const item = element("li");
        if (place) item.append(element("code", place));
        item.append(words);
        list.append(item);
      }
      const close = element("button", "Close");
      close.type = "button";
      close.addEventListener("click", hide);
      parts.push(list, close);
    }
    here.replaceChildren(...parts);
    here.hidden = false;
  };

  const hide = () => { if (box) box.hidden = true; };

  const hear = (state) => {
    if (state.phase === "building") {
      const count = state.total > 1 ? ` ${state.done}/${state.total}` : "";
      show("quiet", "status", `Building… ${state.stage}${count}`, []);
    } else if (state.build !== build) {
      location.reload();
    } else if (state.phase === "failed") {
      const title = state.published
        ? "Published, but parts of the report failed"
        : "Not built; this is the site as it was";
      show("failed", "alert", title, state.problems);
    } else {
      hide();
    }
  };

  const connect = () => {
    socket = new WebSocket(`ws://${location.host}/-/socket`);
    socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      show("quiet", "status", "fervis watch has ended", []);
      setTimeout(connect, 1000);
    });
  };

  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  connect();
})();
