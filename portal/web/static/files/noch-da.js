// Says aloud what the frame "Sind Sie noch da?" shows: a frame that loads
// itself is not announced. Without a script it is there to be seen.
(() => {
  "use strict";
  const frame = document.querySelector("iframe.pv-stay"), said = document.querySelector("[data-stay]");
  if (!frame || !said) return;
  const tell = () => {
    const box = frame.contentDocument && frame.contentDocument.querySelector("[data-said]");
    const text = box ? box.dataset.said : "";
    if (said.textContent !== text) said.textContent = text;
  };
  frame.addEventListener("load", tell);
  tell();
})();
