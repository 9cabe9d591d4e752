// How times, numbers and severities are written.

export const SEVERITIES = { 0: "ok", 1: "warning", 2: "critical" };

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function utc(ms) {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

// The time at a site beside UTC; UTC alone where the registry names no time zone.
export function siteTime(ms, zone) {
  const at = new Date(ms);
  const day = at.toISOString().slice(0, 10) === new Date().toISOString().slice(0, 10) ? "" : at.toISOString().slice(0, 10) + " ";
  const inUtc = `${day}${at.toISOString().slice(11, 16)} UTC`;
  if (!zone) return inUtc;
  const local = at.toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  return `${inUtc} (${local} there)`;
}

export function ago(ms, now) {
  const seconds = Math.max(0, Math.round((now - ms) / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export function number(value) {
  if (value === null || value === undefined) return "–";
  return Number.isInteger(value) ? value.toLocaleString("en") : value.toLocaleString("en", { maximumFractionDigits: 2 });
}
