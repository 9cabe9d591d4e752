// API keys: made, listed, revoked.

import { call } from "../shared/api.js";
import { form, table } from "../shared/forms.js";
import { element, utc } from "../shared/format.js";

const at = (iso) => utc(Date.parse(iso));
const list = document.getElementById("keys");

async function draw() {
  const keys = await call("GET", "/api/keys");
  list.replaceChildren(table(["Name", "Scopes", "Owner", "Made", "Expires", ""], keys.map((key) => [
    key.name, key.scopes.join(", "), key.owner, at(key.made), at(key.expires),
    element("button", { type: "button", class: "quiet", onclick: () => revoke(key.id) }, "Revoke"),
  ]), "There are no keys."));
}

async function revoke(id) {
  try {
    await call("DELETE", `/api/keys/${encodeURIComponent(id)}`);
    await draw();
  } catch (error) {
    list.prepend(element("p", { class: "notice" }, error.message));
  }
}

const { scopes } = await call("GET", "/api/me");
form(document.getElementById("make"), [
  { name: "name", label: "Name", required: "", maxlength: 100 },
  { name: "scopes", label: `Scopes (${scopes.join(", ")})`, required: "" },
  { name: "days", label: "Days", type: "number", min: 1, max: 365, value: 90 },
], "Make", async (given) => {
  const made = await call("POST", "/api/keys", { name: given.name, scopes: given.scopes.split(/[\s,]+/).filter(Boolean), days: Number(given.days) });
  await draw();
  return [element("p", {}, "This is its only showing: "), element("code", { id: "made-key" }, made.key)];
});
draw();
