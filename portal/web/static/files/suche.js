// Suggestions while typing, for who has scripts: the form works without. The
// pattern is the editable combobox with a list of the ARIA practices.
(() => {
  "use strict";
  const form = document.querySelector("form[data-suggest]");
  const input = form && form.elements.namedItem("q");
  if (!input || !window.fetch || !window.AbortController) return;

  const list = document.createElement("ul");
  list.id = input.id + "-liste";
  list.className = "pv-suggest";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.dataset.list);
  const said = document.createElement("div");
  said.className = "kern-sr-only";
  said.setAttribute("role", "status");
  input.parentNode.classList.add("pv-combo");
  input.parentNode.append(list, said);
  input.type = "text"; // a search field may not be a combobox
  input.inputMode = "search";
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
    input.setAttribute(name, value);
  }

  let current = -1, timer = 0, running = null, typed = input.value;

  const close = () => {
    list.hidden = true;
    current = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const stop = () => {
    clearTimeout(timer);
    if (running) running.abort();
    running = null;
  };
  const mark = (i) => {
    const all = list.children;
    if (all[current]) all[current].setAttribute("aria-selected", "false");
    current = i;
    if (!all[i]) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    all[i].setAttribute("aria-selected", "true");
    all[i].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[i].id);
  };
  const choose = (i) => {
    input.value = list.children[i].dataset.text;
    stop();
    close();
    form.requestSubmit ? form.requestSubmit() : form.submit();
  };
  const show = (texts) => {
    list.replaceChildren(...texts.map((s, i) => {
      const li = document.createElement("li");
      li.id = list.id + i;
      li.dataset.text = s.text;
      li.textContent = s.text;
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", "false");
      if (s.lang && s.lang !== document.documentElement.lang) li.lang = s.lang;
      return li;
    }));
    close();
    list.hidden = texts.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    said.textContent = list.hidden ? "" : form.dataset.count.replace("#", texts.length);
  };
  const ask = async () => {
    const call = running = new AbortController();
    const q = new URLSearchParams({ q: input.value.trim(), lang: document.documentElement.lang, limit: "8" });
    const place = form.elements.namedItem("ort");
    if (place && place.value.trim()) q.set("ort", place.value.trim());
    try {
      const answer = await fetch("/api/v1/suggest?" + q, { signal: call.signal, credentials: "omit" });
      const texts = answer.ok ? (await answer.json()).suggestions : [];
      if (running === call) show(texts);
    } catch (e) {
      if (running === call) show([]); // no suggestions: the form goes on working
    }
  };

  input.addEventListener("input", () => {
    typed = input.value;
    stop();
    if (typed.trim().length < 2) {
      show([]);
      return;
    }
    timer = setTimeout(ask, 150);
  });
  input.addEventListener("keydown", (e) => {
    const n = list.children.length;
    if (e.key === "Escape" && !list.hidden) {
      e.preventDefault();
      input.value = typed;
      close();
    } else if (list.hidden || e.isComposing) {
      return;
    } else if (e.key === "ArrowDown") {
      e.preventDefault();
      mark(current + 1 < n ? current + 1 : 0);
    } else if (e.key === "ArrowUp") {
      e.preventDefault();
      mark(current > 0 ? current - 1 : n - 1);
    } else if (e.key === "Enter" && current >= 0) {
      e.preventDefault();
      choose(current);
    } else if (e.key === "Tab") {
      close();
    }
  });
  input.addEventListener("blur", () => { stop(); close(); });
  list.addEventListener("mousedown", (e) => e.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (e) => {
    const i = [...list.children].indexOf(e.target.closest("li"));
    if (i >= 0) choose(i);
  });
})();
