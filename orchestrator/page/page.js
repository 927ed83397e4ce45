"use strict";
// Opening what a link leads to, all at once, and before printing. Without it everything is there, to be opened by hand.

const steps = () => Array.from(document.querySelectorAll("main details"));

function show() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}
addEventListener("hashchange", show);
show();

for (const buttons of document.querySelectorAll(".buttons")) {
  buttons.hidden = false;
  buttons.addEventListener("click", (event) => {
    if (event.target.tagName === "BUTTON") for (const step of steps()) step.open = event.target.value === "open";
  });
}

let closed = [];
addEventListener("beforeprint", () => {
  closed = steps().filter((step) => !step.open);
  for (const step of closed) step.open = true;
});
addEventListener("afterprint", () => {
  for (const step of closed) step.open = false;
});
