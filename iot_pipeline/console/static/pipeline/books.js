// The books of one hour, counted when somebody asks.

import { call } from "../shared/api.js";
import { element, number } from "../shared/format.js";

const STATES = { balanced: "ok", empty: "quiet", behind: "warning", missing: "warning", unbalanced: "critical", unknown: "unknown" };

export async function showBooks(hour) {
  const body = document.getElementById("books-body");
  const dialog = document.getElementById("books");
  document.getElementById("books-title").textContent = `Books of ${hour}:00 UTC`;
  body.replaceChildren(element("p", { class: "empty" }, "Counting …"));
  if (!dialog.open) dialog.showModal();
  try {
    const books = await call("GET", `/api/health/hours/${hour}/books`);
    body.replaceChildren(...arrivals(books.arrivals), ...events(books.events));
  } catch (error) {
    body.replaceChildren(element("p", { class: "notice" }, error.message));
  }
}

const lines = (entries) => element("table", {}, element("tbody", {}, ...entries.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "number" }, number(value))))));
const head = (words, balance) => element("h3", {}, `${words} `, element("span", { class: "badge", "data-state": STATES[balance] }, balance));

function arrivals(books) {
  return [
    head("What arrived in this hour", books.balance),
    lines([["received", books.received], ["= valid", books.valid], ["+ quarantined", books.quarantined], ...Object.entries(books.quarantine).map(([reason, count]) => [`  ${reason}`, count])]),
    element("p", { class: "empty" }, `Touches the event hours ${books.touches.map((each) => each.hour.slice(0, 13)).join(", ") || "none"}.`),
  ];
}

function events(books) {
  return [
    head("What happened in this hour", books.balance),
    lines([["valid", books.valid], ["= rows", books.counted.rows], ["+ duplicates", books.counted.duplicates], ["+ conflicts", books.counted.conflicts]]),
    element("p", { class: "empty" }, books.is_as_noted ? "The objects hold what the build noted." : "The objects do not hold what the build noted: see the check of the stored objects in Dagster."),
  ];
}
