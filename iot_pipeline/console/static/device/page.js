// One device: what it is, its values of a day, its alerts, and how good its data was. Each part stands on its own.

import { call } from "../shared/api.js";
import { ago, element, number, utc } from "../shared/format.js";
import { drawSeries } from "./series.js";

const REFRESH_MS = 15_000;
const device = document.getElementById("device").dataset.device;
const path = `/api/devices/${encodeURIComponent(device)}`;
const $ = (id) => document.getElementById(id);
const table = (heads, rows) => element("div", { class: "scroll", tabindex: "0" }, element("table", {},
  element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
  element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell ?? "–")))))));
const badge = (state, words) => element("span", { class: "badge", "data-state": state }, words);
const at = (iso) => (iso ? utc(Date.parse(iso)) : "–");
const put = (id, ...children) => $(id).replaceChildren(...children);
const words = (text) => element("p", { class: "empty" }, text);

function fact(name, value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value ?? "–"));
}

function drawState({ data, down }) {
  if (!data) {
    put("facts", words(down ?? "The edge has had nothing of this device."));
    return;
  }
  const latest = data.latest.map((each) => {
    const made = fact(each.metric, `${number(each.value)} ${each.unit}`);
    made.title = `at ${at(each.at)}`;
    return made;
  });
  put("facts", fact("site", `${data.tenant} / ${data.site}`), fact("firmware", data.firmware), fact("last message", `${ago(Date.parse(data.last_arrival), Date.now())} ago`), ...latest);
}

function drawAlerts({ data, down }) {
  const open = (data ?? []).filter((each) => each.status !== "resolved");
  const worst = open.some((each) => each.severity === "critical") ? "critical" : open.length ? "warning" : "ok";
  $("standing").dataset.state = data ? worst : "unknown";
  $("standing").textContent = data ? (open.length ? `${open.length} open` : "no open alerts") : "alerts unknown";
  if (!data) put("alerts", words(down));
  else if (!data.length) put("alerts", words("No alerts in the last 90 days."));
  else put("alerts", table(["Severity", "What", "Opened", "Resolved", "Worst"], data.slice(0, 20).map((each) => [
    badge(each.status === "resolved" ? "quiet" : each.severity, each.severity), [each.rule, each.metric].filter(Boolean).join(" "), at(each.opened_at), at(each.resolved_at), number(each.worst)])));
}

function drawHistory({ data, down }) {
  if (!data) put("history", words(down ?? "The registry does not know this device."));
  else put("history", table(["From", "Until", "Tenant", "Site", "Model", "Status"], data.map((each) => [at(each.valid_from), each.valid_to ? at(each.valid_to) : "now", each.tenant, each.site, each.model, each.status])));
}

async function look() {
  try {
    const view = await call("GET", path);
    $("notice").hidden = true;
    drawState(view.state);
    drawAlerts(view.alerts);
    drawHistory(view.history);
  } catch (error) {
    $("notice").hidden = false;
    $("notice").textContent = error.message;
  }
}

async function values() {
  try {
    drawSeries($("charts"), $("joined"), await call("GET", `${path}/series`));
  } catch (error) {
    $("joined").textContent = `No values: ${error.message}`;
  }
}

async function quality() {
  try {
    const found = await call("GET", `${path}/quality`);
    put("quality", table(["Arrived in the last 24 hours", "Readings"], [["valid", number(found.valid)], ["quarantined", number(found.quarantined)], ...Object.entries(found.reasons).map(([reason, count]) => [reason, number(count)])]),
      table(["Happened in them", "Readings"], [["curated", number(found.rows)], ["duplicates dropped", number(found.duplicates)], ["conflicts dropped", number(found.conflicts)]]));
  } catch (error) {
    put("quality", words(`Not known: ${error.message}`));
  }
}

look().then(() => Promise.all([values(), quality()]));
setInterval(() => { if (!document.hidden) look(); }, REFRESH_MS);
