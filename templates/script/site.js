/* What a page gains with scripts: a slider between picture and map, a choice of colour map, zoom.
   Without them every picture is still there, and a link to its file. */
"use strict";
(function () {
  const words = document.body.dataset;
  const KEY = "fervis-colours";

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function remembered() {
    try { return localStorage.getItem(KEY); } catch { return null; }
  }

  function remember(name) {
    try { localStorage.setItem(KEY, name); } catch { /* private window: this page only */ }
  }

  /* Colour maps: one choice for all figures of the page. */
  function coloursOf(image) {
    const names = {};
    for (const { name, value } of image.attributes) {
      if (name.startsWith("data-map-")) names[name.slice(9)] = value;
    }
    return names;
  }

  function colour(name) {
    for (const image of document.querySelectorAll("img")) {
      const source = coloursOf(image)[name];
      if (!source) continue;
      image.src = source;
      const link = image.closest("a.zoom");
      if (link) link.href = source;
    }
    for (const link of document.querySelectorAll(".downloads a")) {
      link.href = coloursOf(link)[name] || link.href;
    }
    for (const strip of document.querySelectorAll(".strip[data-map]")) {
      const image = strip.closest(".panel").querySelector("img:not(.under)");
      if (!image || !(name in coloursOf(image))) continue;
      strip.style.backgroundImage =
        strip.style.backgroundImage.replace(/scale-\w+\.png/, "scale-" + name + ".png");
      strip.dataset.map = name;
    }
    for (const radio of document.querySelectorAll('input[data-colours]')) {
      radio.checked = radio.value === name;
    }
  }

  function colourControl(figure, number) {
    const image = [...figure.querySelectorAll("img")].find(
      (one) => Object.keys(coloursOf(one)).length > 1);
    if (!image) return null;
    const current = figure.querySelector(".strip[data-map]");
    const set = make("fieldset", {}, make("legend", { textContent: words.colours }));
    for (const name of Object.keys(coloursOf(image))) {
      const radio = make("input", {
        type: "radio", name: "colours-" + number, value: name,
        checked: current ? current.dataset.map === name : image.src.endsWith(coloursOf(image)[name]),
      });
      radio.dataset.colours = "";
      radio.addEventListener("change", () => { colour(name); remember(name); });
      set.append(make("label", {}, radio, name));
    }
    return set;
  }

  /* Blending: the picture lies under the map, and the slider makes the map transparent. */
  function blendControl(figure) {
    const picture = figure.querySelector(".panel-picture img");
    const map = figure.querySelector(".panel-map img");
    if (!picture || !map) return null;
    const under = make("img", { className: "under", alt: "", src: picture.src });
    const stack = make("span", { className: "stack" });
    map.replaceWith(stack);
    stack.append(under, map);
    map.style.position = "relative";
    map.style.background = "none";
    const slider = make("input", { type: "range", min: 0, max: 100, step: 5, value: 100 });
    slider.addEventListener("input", () => { map.style.opacity = slider.value / 100; });
    const label = make("label", {}, words.picture, slider, words.map);
    slider.setAttribute("aria-label", words.blend);
    return label;
  }

  /* Zoom: the picture in a dialog, still without smoothing. */
  let dialog = null;

  function zoom(event) {
    const link = event.currentTarget;
    if (event.ctrlKey || event.metaKey || event.shiftKey || !window.HTMLDialogElement) return;
    event.preventDefault();
    const image = link.querySelector("img:not(.under)");
    if (!dialog) {
      dialog = make("dialog", { className: "large" });
      dialog.addEventListener("click", (click) => { if (click.target === dialog) dialog.close(); });
      document.body.append(dialog);
    }
    const close = make("button", { type: "button", textContent: words.close });
    close.addEventListener("click", () => dialog.close());
    dialog.setAttribute("aria-label", image.alt);
    dialog.replaceChildren(
      make("img", { src: link.href, alt: image.alt }),
      make("p", { textContent: image.alt }),
      make("p", {}, close, " ", make("a", { href: link.href, textContent: words.file })));
    dialog.showModal();
  }

  document.querySelectorAll("figure").forEach((figure, number) => {
    const controls = make("div", { className: "controls" });
    const parts = [figure.hasAttribute("data-blend") ? blendControl(figure) : null,
                   colourControl(figure, number)];
    controls.append(...parts.filter(Boolean));
    const caption = figure.querySelector("figcaption");
    if (controls.childElementCount && caption) caption.before(controls);
  });
  document.querySelectorAll("a.zoom").forEach((link) => link.addEventListener("click", zoom));
  const chosen = remembered();
  if (chosen) colour(chosen);
})();
