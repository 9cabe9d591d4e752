// The fleet by site: a cell a device, coloured by its alerts, grey where nothing has come for a while.

import { SEVERITIES, ago, element, number } from "../shared/format.js";

const QUIET_MS = 15 * 60 * 1000;

export class Fleet {
  constructor(root, choose) {
    this.root = root;
    this.choose = choose;
    this.devices = new Map();
    this.cells = new Map();
    this.groups = new Map();
    this.metrics = [];
  }

  replace(metrics, rows) {
    this.metrics = metrics;
    this.devices.clear();
    this.merge(rows);
    // Cells that stay keep the keyboard's focus.
    for (const [id, cell] of this.cells) {
      if (!this.devices.has(id)) {
        cell.remove();
        this.cells.delete(id);
      }
    }
  }

  merge(rows) {
    for (const [id, tenant, site, firmware, arrival, latest] of rows) {
      this.devices.set(id, { id, tenant, site, firmware, arrival, latest });
    }
  }

  // Redraws what differs: most seconds only a few cells change their colour.
  draw(severities, chosen, now, zones) {
    let heard = 0;
    for (const device of this.devices.values()) {
      const quiet = now - device.arrival > QUIET_MS;
      if (!quiet) heard += 1;
      const severity = severities.get(device.id) ?? 0;
      const state = severity ? SEVERITIES[severity] : quiet ? "quiet" : "ok";
      const cell = this.cell(device);
      if (cell.dataset.state !== state) {
        cell.dataset.state = state;
        cell.setAttribute("aria-label", `${device.id}, ${state}`);
      }
      const pressed = String(chosen.has(device.id));
      if (cell.getAttribute("aria-pressed") !== pressed) cell.setAttribute("aria-pressed", pressed);
      device.state = state;
    }
    for (const [key, group] of this.groups) {
      const zone = zones.get(key);
      const local = zone ? new Date(now).toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }) : "";
      // Its last device has moved away.
      group.section.hidden = group.cells.childElementCount === 0;
      const words = `${group.cells.childElementCount} devices${local ? `, ${local} there` : ""}`;
      if (group.words.textContent !== words) group.words.textContent = words;
    }
    return heard;
  }

  cell(device) {
    const key = JSON.stringify([device.tenant, device.site]);
    let cell = this.cells.get(device.id);
    if (cell && cell.dataset.site === key) return cell;
    cell?.remove();
    cell = element("button", { type: "button", class: "cell", "aria-pressed": "false" });
    cell.dataset.site = key;
    cell.addEventListener("click", () => this.choose(device.id));
    const describe = () => { cell.title = this.describe(device.id); };
    cell.addEventListener("pointerenter", describe);
    cell.addEventListener("focus", describe);
    this.cells.set(device.id, cell);
    this.group(key, device).cells.append(cell);
    return cell;
  }

  group(key, device) {
    if (!this.groups.has(key)) {
      const words = element("small");
      const cells = element("div", { class: "cells" });
      const section = element("div", { class: "site" }, element("h3", {}, `${device.tenant} / ${device.site} `, words), cells);
      this.root.append(section);
      this.groups.set(key, { section, words, cells });
    }
    return this.groups.get(key);
  }

  describe(id) {
    const device = this.devices.get(id);
    const values = this.metrics
      .map((metric, place) => [metric, device.latest[place]])
      .filter(([, latest]) => latest)
      .map(([metric, latest]) => `${metric.name} ${number(latest[0])} ${metric.unit}`);
    return [id, `firmware ${device.firmware ?? "unknown"}`, `last message ${ago(device.arrival, Date.now())} ago`, ...values].join("\n");
  }
}
