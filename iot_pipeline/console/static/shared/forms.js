// Forms of a few fields, and tables: what the pages of administration are made of.

import { element } from "./format.js";

export function table(heads, rows, empty) {
  if (!rows.length) return element("p", { class: "empty" }, empty);
  return element("div", { class: "scroll", tabindex: "0" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell ?? "–")))))));
}

// `fields`: name, label and attributes of each input; `carryOut` gets the values that are not empty, and what it returns
// is shown below the form. What it throws is shown there too.
export function form(root, fields, verb, carryOut) {
  const outcome = element("div", { role: "status" });
  const inputs = fields.map(({ name, label, ...attributes }) => {
    const input = element(attributes.rows ? "textarea" : "input", { name, ...attributes });
    return element("label", {}, `${label} `, input);
  });
  const button = element("button", {}, verb);
  const made = element("form", { class: "fields" }, ...inputs, button);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    outcome.replaceChildren(element("p", { class: "empty" }, "…"));
    try {
      const given = Object.fromEntries([...new FormData(made)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ""));
      outcome.replaceChildren(...[await carryOut(given)].flat());
    } catch (error) {
      outcome.replaceChildren(element("p", { class: "notice" }, error.message));
    } finally {
      button.disabled = false;
    }
  });
  root.replaceChildren(made, outcome);
}
