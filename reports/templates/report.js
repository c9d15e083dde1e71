"use strict";
function sortKey(row, column) {
  // a figure may be followed by its interval or unit, and has commas between thousands
  const text = row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const number = Number(text.split(" ")[0].replaceAll(",", ""));
  return text !== "" && Number.isFinite(number) ? number : text;
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((first, second) => {
      const a = sortKey(first, column), b = sortKey(second, column);
      if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
      const order = typeof a === "number" ? a - b : a.localeCompare(b);
      return down ? -order : order;
    });
    table.tBodies[0].append(...rows);
  }));
}
for (const input of document.querySelectorAll(".filter input")) {
  const body = input.closest(".filter").nextElementSibling.querySelector("tbody");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}
const tip = document.getElementById("tip");
for (const title of document.querySelectorAll("svg title")) {
  const shape = title.parentNode;
  shape.dataset.tip = title.textContent;
  title.remove();
}
document.addEventListener("pointermove", (event) => {
  const shape = event.target.closest?.("[data-tip]");
  tip.hidden = !shape;
  if (!shape) return;
  tip.textContent = shape.dataset.tip;
  const right = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 6);
  tip.style.left = `${Math.max(6, right)}px`;
  tip.style.top = `${Math.max(6, event.clientY - tip.offsetHeight - 12)}px`;
});
