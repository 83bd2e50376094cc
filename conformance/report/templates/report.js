"use strict";
(() => {
  const filter = document.querySelector(".filter");
  if (filter) {
    const rows = [...document.querySelectorAll("tr.row")];
    const search = filter.querySelector("input");
    const buttons = [...filter.querySelectorAll("button")];
    const output = filter.querySelector("output");
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const pressed = () => buttons.filter((button) => button.ariaPressed === "true");
    const apply = () => {
      const on = new Set(pressed().map((button) => button.dataset.kind));
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, number) => {
        const wanted = on.has(row.classList[1]) && words.every((word) => texts[number].includes(word));
        row.hidden = !wanted;
        shown += wanted ? 1 : 0;
      });
      for (const body of document.querySelectorAll("tbody")) {
        body.hidden = !body.querySelector("tr.row:not([hidden])");
      }
      output.value = shown === rows.length ? "" : `${shown} of ${rows.length}`;
    };
    // The state of the filter is in the address, so that it can be sent to somebody.
    const keep = () => {
      const parts = [];
      if (pressed().length < buttons.length) {
        parts.push(`verdict=${pressed().map((button) => button.dataset.kind).join(",")}`);
      }
      if (search.value) parts.push(`words=${encodeURIComponent(search.value)}`);
      history.replaceState(null, "", `#${parts.join("&") || "requirements"}`);
      apply();
    };
    const read = () => {
      const hash = location.hash.slice(1);
      const asked = new URLSearchParams(hash);
      if (asked.has("verdict") || asked.has("words")) {
        const kinds = asked.get("verdict")?.split(",");
        for (const button of buttons) {
          button.ariaPressed = String(!kinds || kinds.includes(button.dataset.kind));
        }
        search.value = asked.get("words") ?? "";
        apply();
        document.getElementById("requirements").scrollIntoView();
        return;
      }
      // A link to a row that is filtered away would lead nowhere.
      const row = document.getElementById(decodeURIComponent(hash));
      if (row && row.hidden) {
        search.value = "";
        for (const button of buttons) button.ariaPressed = "true";
        apply();
        row.scrollIntoView();
      }
    };
    search.addEventListener("input", keep);
    for (const button of buttons) {
      button.addEventListener("click", () => {
        button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
        keep();
      });
    }
    addEventListener("hashchange", read);
    filter.hidden = false;
    read();
  }
  // Paper has nothing to click on.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
