// SQL on demand: an estimate while one types, then run, watch, read, draw, download.

import { call } from "../shared/api.js";
import { ago, element, number } from "../shared/format.js";
import { drawChart } from "./chart.js";

const TYPING_MS = 600;
const POLL_MS = 500;
const PAGE_ROWS = 100;
const $ = (id) => document.getElementById(id);
let running = null;
let next = null;
let columns = [];
let shown = [];
let asked = 0;

function size(bytes) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (bytes < 1000) return `${number(Math.round(bytes * 10) / 10)} ${unit}`;
    bytes /= 1000;
  }
  return `${number(bytes)} TB`;
}

function refuse(error) {
  const { line, column } = error.problem ?? {};
  $("refusal").hidden = false;
  $("refusal").textContent = line ? `Line ${line}, character ${column}: ${error.message}` : error.message;
}

async function estimate() {
  const sql = $("sql").value.trim();
  const mine = ++asked;
  if (!sql) return;
  try {
    const found = await call("POST", "/api/queries/estimate", { sql });
    if (mine !== asked) return;
    $("refusal").hidden = true;
    const tables = found.tables.map((table) => `${table.table}: ${size(table.bytes)} of ${table.partitions} partitions${table.sampled ? " (sampled)" : ""}`);
    $("estimate").textContent = `About ${size(found.bytes)}, $${found.dollars.toFixed(6)}. ${tables.join("; ")}${found.advice ? `. ${found.advice}` : ""}`;
  } catch (error) {
    if (mine === asked) {
      $("estimate").textContent = "No estimate.";
      refuse(error);
    }
  }
}

async function run() {
  $("refusal").hidden = true;
  try {
    const started = await call("POST", "/api/queries", { sql: $("sql").value });
    await watch(started);
  } catch (error) {
    refuse(error);
  }
}

async function watch(query) {
  running = query.id;
  $("cancel").disabled = false;
  $("rows").replaceChildren();
  $("downloads").hidden = true;
  $("chart").hidden = true;
  try {
    while (!["SUCCEEDED", "FAILED", "CANCELLED"].includes(query.state)) {
      $("state").textContent = `${query.state.toLowerCase()}, for ${ago(Date.parse(query.submitted), Date.now())} …`;
      await new Promise((done) => setTimeout(done, POLL_MS));
      if (running !== query.id) return;
      query = await call("GET", `/api/queries/${query.id}`);
    }
    await ended(query);
  } finally {
    if (running === query.id) $("cancel").disabled = true;
    drawHistory().catch(refuse);
    drawLimits().catch(refuse);
  }
}

async function ended(query) {
  const cost = query.scanned_bytes === null ? "" : `, scanned ${size(query.scanned_bytes)} (estimated ${size(query.estimated_bytes)}), $${query.dollars.toFixed(6)}, ${number(query.milliseconds)} ms`;
  $("state").textContent = `${query.state.toLowerCase()}${cost}${query.failure ? `: ${query.failure}` : ""}`;
  if (query.state !== "SUCCEEDED") return;
  shown = [];
  next = null;
  await more(query.id);
  drawChart($("chart"), columns, shown);
  $("downloads").hidden = false;
  for (const kind of ["csv", "parquet"]) $(kind).href = `/api/queries/${query.id}/result.${kind}`;
  $("more").onclick = () => more(query.id).catch(refuse);
}

async function more(id) {
  const page = await call("GET", `/api/queries/${id}/rows?limit=${PAGE_ROWS}${next ? `&token=${encodeURIComponent(next)}` : ""}`);
  columns = page.columns;
  shown = shown.concat(page.rows);
  next = page.next_token;
  $("more").hidden = !next;
  const numeric = columns.map((column) => /^(double|float|real|.*int|decimal)/.test(column.type));
  const head = element("thead", {}, element("tr", {}, ...columns.map((column) => element("th", { scope: "col", title: column.type }, column.name))));
  const body = shown.map((row) => element("tr", {}, ...row.map((value, place) => element("td", { class: numeric[place] ? "number" : null }, value === null ? element("i", {}, "null") : value))));
  $("rows").replaceChildren(element("table", {}, head, element("tbody", {}, ...body)), element("p", { class: "empty" }, `${number(shown.length)} rows${next ? " of more" : ""}`));
}

async function drawTables() {
  const tables = await call("GET", "/api/tables");
  $("tables").replaceChildren(...tables.map((table) => element("details", {},
    element("summary", {}, element("code", {}, table.name), ` ${table.description}`),
    element("ul", { class: "plain" }, ...table.columns.map((column) => element("li", {}, element("code", {}, column.name), ` ${column.type}${column.partition ? ", partition" : ""} `, element("small", {}, column.comment ?? ""))))),
  ));
}

async function drawHistory() {
  const found = await call("GET", "/api/queries?limit=15");
  $("history").replaceChildren(...found.map((query) => element("li", {},
    element("button", { type: "button", class: "link", title: query.sql, onclick: () => { $("sql").value = query.sql; estimate(); watch(query).catch(refuse); } }, query.sql.replace(/\s+/g, " ").slice(0, 60)),
    ` ${query.state.toLowerCase()}, ${ago(Date.parse(query.submitted), Date.now())} ago`)));
}

async function drawSaved() {
  const found = await call("GET", "/api/saved-queries");
  $("saved").replaceChildren(...found.map((saved) => element("li", {},
    element("button", { type: "button", class: "link", title: saved.sql, onclick: () => { $("sql").value = saved.sql; $("name").value = saved.name; estimate(); } }, saved.name), " ",
    element("button", { type: "button", class: "quiet", "aria-label": `Forget ${saved.name}`, onclick: () => forget(saved.name).catch(refuse) }, "×"))));
}

async function forget(name) {
  await call("DELETE", `/api/saved-queries/${encodeURIComponent(name)}`);
  await drawSaved();
}

async function drawLimits() {
  const limits = await call("GET", "/api/query-limits");
  $("limits").textContent = `Yours today: ${size(limits.day_bytes_used)} of ${size(limits.day_bytes)}; a query at most ${size(limits.query_bytes)}, ${number(limits.rows)} rows, ${limits.seconds} s; ${limits.at_once} at once.`;
}

async function save() {
  try {
    await call("PUT", `/api/saved-queries/${encodeURIComponent($("name").value)}`, { sql: $("sql").value });
    await drawSaved();
  } catch (error) {
    refuse(error);
  }
}

let typing = 0;
$("sql").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(estimate, TYPING_MS);
});
$("sql").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
$("run").addEventListener("click", run);
$("save").addEventListener("click", save);
$("cancel").addEventListener("click", () => call("POST", `/api/queries/${running}/cancel`).catch(refuse));
const today = new Date().toISOString();
$("sql").value = `SELECT device_id, count(*) AS readings, avg(temperature) AS mean, max(temperature) AS greatest
FROM telemetry
WHERE year = '${today.slice(0, 4)}' AND month = '${today.slice(5, 7)}' AND day = '${today.slice(8, 10)}'
GROUP BY device_id
ORDER BY readings DESC`;
estimate();
for (const draw of [drawTables, drawHistory, drawSaved, drawLimits]) draw().catch(refuse);
