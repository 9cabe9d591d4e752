// What administrators change: devices by the registry, and alert rules, which can be tried on past readings first.

import { call } from "../shared/api.js";
import { form, table } from "../shared/forms.js";
import { element, number, utc } from "../shared/format.js";

const $ = (id) => document.getElementById(id);
const isAdmin = document.body.dataset.role === "admin";
const reason = { name: "reason", label: "Reason", required: "", minlength: 3, maxlength: 500 };
const said = (words) => element("p", {}, words);
const at = (iso) => (iso ? utc(Date.parse(iso)) : "–");

// name=value pairs, such as `critical_above=80 hold_seconds=120`; null switches a limit off.
function parameters(text) {
  return Object.fromEntries((text ?? "").split(/[\s,]+/).filter(Boolean).map((pair) => {
    const [name, value] = pair.split("=");
    if (value === undefined) throw new Error(`${pair}: write a parameter as name=value`);
    return [name, value === "null" ? null : Number(value)];
  }));
}

const scope = ({ tenant, site, device }) => Object.fromEntries(Object.entries({ tenant, site, device }).filter(([, value]) => value));
const scopeFields = [{ name: "tenant", label: "Tenant" }, { name: "site", label: "Site" }, { name: "device", label: "Device" }];

function devices() {
  form($("onboard"), [
    { name: "device", label: "Device", required: "" },
    { name: "tenant", label: "Tenant", required: "" },
    { name: "site", label: "Site", required: "" },
    { name: "model", label: "Model", required: "" },
    { name: "csr", label: "Certificate signing request (PEM; without one a key is made here)", rows: 3 },
    reason,
  ], "Onboard", async (given) => {
    const made = await call("POST", "/api/admin/devices", given);
    const files = [["certificate", made.certificate], ["private key, shown this once", made.private_key]].filter(([, text]) => text);
    return [said(`${made.device} is let in, certificate ${made.certificate_id}.`), ...files.map(([name, text]) => element("details", {}, element("summary", {}, name), element("pre", {}, text)))];
  });
  form($("move"), [{ name: "device", label: "Device", required: "" }, { name: "site", label: "To the site", required: "" }, { name: "at", label: "At (UTC, ISO 8601; now if empty)" }, reason], "Move", async ({ device, ...given }) => {
    const moved = await call("POST", `/api/admin/devices/${encodeURIComponent(device)}/move`, given);
    return said(`${device} stands at ${moved.site} since ${at(moved.valid_from)}.`);
  });
  form($("decommission"), [{ name: "device", label: "Device", required: "" }, { name: "at", label: "At (UTC, ISO 8601; now if empty)" }, reason], "Decommission", async ({ device, ...given }) => {
    await call("POST", `/api/admin/devices/${encodeURIComponent(device)}/decommission`, given);
    return said(`${device} is decommissioned, its certificates are revoked.`);
  });
}

function rules(kinds) {
  const names = kinds.map((kind) => kind.name).join(", ");
  const rule = [{ name: "rule", label: `Rule (${names})`, required: "" }, { name: "metric", label: "Metric" }, { name: "parameters", label: "Parameters, such as critical_above=80" }];
  form($("try"), [...rule, ...scopeFields, { name: "hours", label: "Hours back", type: "number", min: 1, max: 168, value: 24 }], "Try", async (given) => {
    const found = await call("POST", "/api/admin/rules/try", { rule: given.rule, metric: given.metric ?? "", parameters: parameters(given.parameters), hours: Number(given.hours), ...scope(given) });
    return [
      said(`${number(found.alerts)} alerts of ${number(found.subjects)} devices in ${number(found.readings)} readings.`),
      table(["Device", "Since", "Until", "Severity", "Worst"], found.episodes.slice(0, 50).map((each) => [each.subject, at(each.since), at(each.until), each.severity, number(each.worst)]), "It would have raised nothing."),
    ];
  });
  form($("rule"), [...rule, ...scopeFields, reason], "Put in force", async (given) => {
    const made = await call("POST", "/api/admin/rules", { rule: given.rule, metric: given.metric ?? "", parameters: parameters(given.parameters), scope: scope(given), reason: given.reason });
    await drawRules();
    return said(`In force as version ${made.version} of the rules.`);
  });
}

async function drawRules() {
  const found = await call("GET", "/api/admin/rules");
  $("rules").replaceChildren(table(["Rule", "Where", "Parameters", "Since", "By", ""], found.in_force.map((each) => [
    [each.rule, each.metric].filter(Boolean).join(" "),
    Object.values(each.scope).join(" / ") || "everywhere",
    Object.entries(each.parameters).map(([name, value]) => `${name}=${value}`).join(" "),
    at(each.since), `${each.author}: ${each.note}`,
    isAdmin ? end(each) : "",
  ]), "None: the defaults hold everywhere."));
  return found;
}

function end(rule) {
  const box = element("details", {}, element("summary", {}, "End"));
  const root = element("div");
  box.append(root);
  form(root, [reason], "End", async (given) => {
    await call("POST", `/api/admin/rules/${rule.id}/end`, given);
    drawRules();
    return said("Ended.");
  });
  return box;
}

function people() {
  const name = { name: "name", label: "Name", required: "" };
  const role = [{ name: "role", label: "Role (admin, operator, analyst, tenant)", required: "" }, { name: "tenant", label: "Tenant, of the role tenant" }];
  const path = (who, verb) => `/api/admin/people/${encodeURIComponent(who)}/${verb}`;
  const change = (id, fields, verb, carryOut) => form($(id), [name, ...fields, reason], verb, async (given) => {
    const told = await carryOut(given);
    // Not waited for: if the list cannot be had, a password that is shown once is shown all the same.
    drawPeople();
    return told;
  });
  change("let-in", role, "Let in", async (given) => {
    const made = await call("POST", "/api/admin/people", given);
    return [said(`${made.name} can sign in, and chooses a password then. For the first time, shown this once:`), element("pre", {}, made.password)];
  });
  change("assign", role, "Give the role", async ({ name: who, ...given }) => {
    await call("PUT", path(who, "role"), given);
    return said(`${who} has this role from the next sign-in on; sessions and keys of before have ended.`);
  });
  change("disable", [], "Shut out", async ({ name: who, ...given }) => {
    await call("POST", path(who, "disable"), given);
    return said(`${who} is shut out; sessions and keys have ended.`);
  });
  change("enable", [], "Let in again", async ({ name: who, ...given }) => {
    await call("POST", path(who, "enable"), given);
    return said(`${who} can sign in again.`);
  });
}

async function drawPeople() {
  let found;
  try {
    found = await call("GET", "/api/admin/people");
  } catch (error) {
    $("people").replaceChildren(element("p", { class: "notice" }, error.message));
    return;
  }
  $("people").replaceChildren(table(["Name", "Role", "Tenant", "May sign in", "Since"], found.map((each) => [
    each.name, each.role ?? each.problem, each.tenant, each.enabled ? each.status.toLowerCase().replaceAll("_", " ") : "no", at(each.made),
  ]), "Nobody."));
}

for (const each of document.querySelectorAll("[data-admin]")) each.hidden = !isAdmin;
if (isAdmin) {
  devices();
  people();
  drawPeople();
}
drawRules().then(({ kinds }) => rules(kinds)).catch((error) => $("rules").replaceChildren(element("p", { class: "notice" }, error.message)));
