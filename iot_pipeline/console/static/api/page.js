// The OpenAPI document as a page: each operation with what it takes and gives.

import { call } from "../shared/api.js";
import { element } from "../shared/format.js";

const named = (reference) => reference.split("/").at(-1);

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return named(schema.$ref);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  return [schema.type ?? "anything", schema.format].filter(Boolean).join(", ");
}

const rows = (heads, entries) => element("div", { class: "scroll", tabindex: "0" }, element("table", {},
  element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
  element("tbody", {}, ...entries.map((entry) => element("tr", {}, ...entry.map((cell) => element("td", {}, cell ?? "")))))));

function fields(schema, components) {
  const found = schema?.$ref ? components[named(schema.$ref)] : schema;
  if (!found?.properties) return element("p", {}, typeOf(schema));
  const needed = new Set(found.required ?? []);
  return rows(["Field", "Type", "Meaning"], Object.entries(found.properties).map(([name, field]) => [element("code", {}, name), `${typeOf(field)}${needed.has(name) ? "" : ", optional"}`, field.description]));
}

function operation(method, path, given, components) {
  const parts = [];
  if (given.description) parts.push(element("p", {}, given.description));
  if (given.parameters?.length) parts.push(element("h3", {}, "Parameters"), rows(["Name", "In", "Type", "Meaning"], given.parameters.map((each) => [element("code", {}, each.name), each.in, typeOf(each.schema), each.description])));
  const body = given.requestBody?.content?.["application/json"]?.schema;
  if (body) parts.push(element("h3", {}, "Body"), fields(body, components));
  for (const [status, answer] of Object.entries(given.responses ?? {})) {
    const [kind, content] = Object.entries(answer.content ?? {})[0] ?? [];
    parts.push(element("h3", {}, `${status} ${answer.description ?? ""}`), kind === "application/json" ? fields(content.schema?.type === "array" ? content.schema.items : content.schema, components) : element("p", {}, kind ?? "no body"));
  }
  return element("details", { class: "tile" }, element("summary", {}, element("code", {}, `${method.toUpperCase()} ${path}`), ` ${given.summary ?? ""}`), ...parts);
}

try {
  const document_ = await call("GET", "/api/openapi.json");
  const components = document_.components?.schemas ?? {};
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, given] of Object.entries(methods)) {
      const tag = given.tags?.[0] ?? "service";
      groups.set(tag, [...(groups.get(tag) ?? []), operation(method, path, given, components)]);
    }
  }
  for (const [tag, made] of groups) document.getElementById("operations").append(element("h2", {}, tag), ...made);
} catch (error) {
  document.getElementById("problem").hidden = false;
  document.getElementById("problem").textContent = error.message;
}
