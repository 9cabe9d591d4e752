// Open alerts: they appear, change and go by themselves; people take them on or announce planned work.

import { call } from "../shared/api.js";
import { SEVERITIES, ago, element, number, siteTime } from "../shared/format.js";

const mayAct = ["admin", "operator", "tenant"].includes(document.body.dataset.role);

export class Alerts {
  constructor() {
    this.open = new Map();
    this.rows = new Map();
    this.table = document.getElementById("alerts");
  }

  replace(alerts) {
    this.open = new Map(alerts.map((alert) => [alert.id, alert]));
  }

  merge(alerts) {
    for (const alert of alerts) {
      if (alert.status === "resolved") this.open.delete(alert.id);
      else this.open.set(alert.id, alert);
    }
  }

  // The greatest severity of each device's alerts; those that its site's alert speaks for count too.
  severities() {
    const found = new Map();
    for (const alert of this.open.values()) {
      if (alert.device) found.set(alert.device, Math.max(found.get(alert.device) ?? 0, alert.severity));
    }
    return found;
  }

  counts() {
    const shown = this.shown();
    return { critical: shown.filter((each) => each.severity >= 2).length, all: shown.length };
  }

  shown() {
    const own = [...this.open.values()].filter((alert) => !alert.parent);
    return own.sort((one, other) => other.severity - one.severity || other.opened_ms - one.opened_ms);
  }

  draw(now, zones) {
    const shown = this.shown();
    this.table.hidden = shown.length === 0;
    document.getElementById("no-alerts").hidden = shown.length > 0;
    document.getElementById("alert-count").textContent = shown.length ? String(shown.length) : "";
    const body = this.table.tBodies[0];
    const kept = new Set();
    shown.forEach((alert, place) => {
      kept.add(alert.id);
      let row = this.rows.get(alert.id);
      const text = JSON.stringify(alert);
      if (!row || row.dataset.text !== text) {
        const made = this.row(alert, now, zones);
        made.dataset.text = text;
        row?.replaceWith(made);
        row = made;
        this.rows.set(alert.id, row);
      }
      row.cells[3].lastElementChild.textContent = ago(alert.opened_ms, now);
      if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null);
    });
    for (const [id, row] of this.rows) {
      if (!kept.has(id)) {
        row.remove();
        this.rows.delete(id);
      }
    }
  }

  row(alert, now, zones) {
    const state = SEVERITIES[Math.min(alert.severity, 2)];
    const where = alert.about ?? [alert.tenant, alert.site, alert.device].filter(Boolean).join(" / ");
    const zone = zones.get(JSON.stringify([alert.tenant, alert.site]));
    const taken = alert.acknowledged_by ? `${alert.acknowledged_by}: ${alert.acknowledged_reason}` : "";
    const actions = element("td");
    if (mayAct) {
      if (!alert.acknowledged_by) {
        actions.append(element("button", { type: "button", class: "quiet", onclick: () => this.acknowledge(alert) }, "Acknowledge"));
      }
      if (alert.device) {
        actions.append(" ", element("button", { type: "button", class: "quiet", onclick: () => this.silence(alert) }, "Silence"));
      }
    }
    return element(
      "tr",
      { "data-alert": alert.id },
      element("td", {}, element("span", { class: "badge", "data-state": state }, state)),
      element("td", {}, [alert.rule, alert.metric].filter(Boolean).join(" "), alert.flapping ? " (flapping)" : ""),
      element("td", {}, alert.device ? element("a", { href: `/devices/${encodeURIComponent(alert.device)}` }, where) : where),
      element("td", {}, element("span", {}, siteTime(alert.opened_ms, zone)), element("br"), element("small", {}, ago(alert.opened_ms, now))),
      element("td", {}, alert.worst === undefined ? "–" : `${number(alert.worst)}${alert.limit === undefined ? "" : ` (limit ${number(alert.limit)})`}`),
      element("td", {}, taken),
      actions,
    );
  }

  acknowledge(alert) {
    ask(`Take on: ${alert.rule} ${alert.device ?? ""}`, false, async ({ reason }) => {
      const changed = await call("POST", `/api/alerts/${encodeURIComponent(alert.id).replaceAll("%2F", "/")}/acknowledge`, { reason });
      this.merge([changed]);
    });
  }

  silence(alert) {
    ask(`Planned work at ${alert.device}: its alerts tell nobody`, true, ({ reason, hours }) =>
      call("POST", "/api/silences", { tenant: alert.tenant, device: alert.device, hours, reason }),
    );
  }
}

// Asks for a reason, and for hours where wanted; stays open with the error if what is to be done fails.
function ask(title, withHours, carryOut) {
  const dialog = document.getElementById("reason");
  const error = document.getElementById("reason-error");
  const ok = document.getElementById("reason-ok");
  const text = document.getElementById("reason-text");
  document.getElementById("reason-title").textContent = title;
  document.getElementById("reason-hours-label").hidden = !withHours;
  text.value = "";
  error.hidden = true;
  dialog.querySelector("form").onsubmit = async (event) => {
    if (event.submitter !== ok) return;
    event.preventDefault();
    ok.disabled = true;
    try {
      await carryOut({ reason: text.value.trim(), hours: Number(document.getElementById("reason-hours").value) });
      dialog.close();
    } catch (failure) {
      error.textContent = failure.message;
      error.hidden = false;
    } finally {
      ok.disabled = false;
    }
  };
  dialog.showModal();
  text.focus();
}
