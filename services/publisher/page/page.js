"use strict";
// Sorting, finding and printing. Without it the page shows the same, in the order it was written.

const minus = /\u2212/g;

function valueOf(row, column) {
  const cell = row.cells[column];
  const time = cell.querySelector("time");
  if (time) return time.dateTime;
  const text = cell.firstChild ? cell.firstChild.textContent.trim() : "";
  const number = parseFloat(text.replace(minus, "-").replace(/,/g, ""));
  return Number.isNaN(number) ? text.toLowerCase() : number * (row.dataset.k || 1);
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return 1;
  if (typeof b === "number") return -1;
  return a.localeCompare(b, undefined, { numeric: true });
}

function sort(heading) {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const numeric = heading.classList.contains("n");
  const now = heading.getAttribute("aria-sort");
  const down = now === "none" ? numeric : now === "ascending";
  for (const other of table.tHead.rows[0].cells) {
    if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  }
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = Array.from(table.tBodies[0].rows, (row) => [numeric ? valueOf(row, column) : textOf(row, column), row]);
  rows.sort((a, b) => (down ? compare(b[0], a[0]) : compare(a[0], b[0])));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function textOf(row, column) {
  const value = valueOf(row, column);
  return typeof value === "number" ? row.cells[column].firstChild.textContent.trim() : value;
}

document.addEventListener("click", (event) => {
  const heading = event.target.closest("th[aria-sort]");
  if (heading) sort(heading);
});

const find = document.getElementById("find");
const blocks = Array.from(document.querySelectorAll("main details"));
let before = null; // Which blocks were open before somebody looked for something.
find.parentElement.hidden = false;
find.addEventListener("input", () => {
  const wanted = find.value.trim().toLowerCase();
  before = before || blocks.map((block) => block.open);
  blocks.forEach((block, number) => {
    const rows = Array.from(block.querySelectorAll("tbody tr"));
    for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    block.open = wanted === "" ? before[number] : rows.some((row) => !row.hidden);
  });
  if (wanted === "") before = null;
});

let closed = [];
addEventListener("beforeprint", () => {
  closed = blocks.filter((block) => !block.open);
  for (const block of closed) block.open = true;
});
addEventListener("afterprint", () => {
  for (const block of closed) block.open = false;
});
