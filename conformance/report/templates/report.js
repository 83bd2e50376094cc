"use strict";
(() => {
  const filter = document.querySelector(".filter");
  if (filter) {
    const rows = [...document.querySelectorAll("tr.row")];
    const search = filter.querySelector("input");
    const buttons = [...filter.querySelectorAll("button")];
    const output = filter.querySelector("output");
    const apply = () => {
      const on = new Set(buttons.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.kind));
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !on.has(row.dataset.kind) || !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      for (const body of document.querySelectorAll("tbody")) {
        body.hidden = !body.querySelector("tr.row:not([hidden])");
      }
      output.value = shown === rows.length ? "" : `${shown} of ${rows.length}`;
    };
    search.addEventListener("input", apply);
    for (const button of buttons) {
      button.addEventListener("click", () => {
        button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
        apply();
      });
    }
    // A link to a row that is filtered away would lead nowhere.
    addEventListener("hashchange", () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (row && row.hidden) {
        search.value = "";
        for (const button of buttons) button.ariaPressed = "true";
        apply();
        row.scrollIntoView();
      }
    });
    filter.hidden = false;
  }
  // Paper has nothing to click on.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
