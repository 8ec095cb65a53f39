// What pages need beyond htmx: where the focus goes. Everything works without it, too.
"use strict";

function focusOnProblems(root) {
  const problems = root.querySelector("#problems");
  if (problems) {
    problems.focus();
  }
}

document.addEventListener("DOMContentLoaded", () => focusOnProblems(document));
