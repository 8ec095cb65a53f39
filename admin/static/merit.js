// What pages need beyond htmx: where the focus goes. Everything works without it, too.
"use strict";

function focusOnProblems(root) {
  const problems = root.querySelector("#problems");
  if (problems) {
    problems.focus();
  }
}

document.addEventListener("DOMContentLoaded", () => focusOnProblems(document));

// A name for something new is not saved by itself: it waits for its button.
document.addEventListener(
  "change",
  (event) => {
    if (event.target.matches("[data-waits]")) {
      event.stopPropagation();
    }
  },
  true,
);

// htmx sends the button that was pressed last with whatever is saved afterwards, too.
document.addEventListener("htmx:configRequest", (event) => {
  const { parameters, triggeringEvent } = event.detail;
  if (!triggeringEvent || !triggeringEvent.submitter) {
    delete parameters.op;
  }
});

// Somebody goes on typing while a page is saved: what they typed meanwhile is kept, and saved next.
let typed = [];
let open = [];

document.addEventListener("htmx:beforeSwap", (event) => {
  const { triggeringEvent } = event.detail.requestConfig;
  const adds = Boolean(triggeringEvent && triggeringEvent.submitter);
  const active = document.activeElement;
  const fields = adds ? [] : [...event.target.querySelectorAll("[data-waits]")];
  if (active && active.matches("input:not([type=checkbox], [type=radio]), textarea")) {
    fields.push(active);
  }
  open = [...event.target.querySelectorAll("details[open][id]")].map((each) => each.id);
  typed = fields.filter((field) => field.id && field.value).map((field) => [field.id, field.value]);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of open) {
    document.getElementById(id)?.setAttribute("open", "");
  }
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field && field.value !== value) {
      field.value = value;
      const save = () => field.dispatchEvent(new Event("change", { bubbles: true }));
      field.addEventListener("blur", save, { once: true });
    }
  }
  typed = [];
});
