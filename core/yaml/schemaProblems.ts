// What a schema does not allow, in sentences with suggestions. The schema says in "x-expected" what a value must be.

import { nearestWord } from "./nearestWord.js";
import type { ProblemList } from "./problems.js";
import { pointerPart } from "./yamlDocuments.js";

/** The part of ajv's error objects that we read. */
export interface SchemaComplaint {
  instancePath: string;
  keyword: string;
  params: Record<string, unknown>;
  parentSchema?: SchemaNode;
  data?: unknown;
  /** Of a key's form: the key; told by the complaint "propertyNames" already. */
  propertyName?: string;
}

interface SchemaNode {
  $ref?: string;
  properties?: Record<string, SchemaNode>;
  definitions?: Record<string, SchemaNode>;
  required?: string[];
  "x-expected"?: string;
  "x-secret"?: boolean;
  propertyNames?: SchemaNode;
  [keyword: string]: unknown;
}

const MAX_SHOWN_CHARS = 60;

export function addSchemaProblems(
  complaints: readonly SchemaComplaint[],
  schema: unknown,
  problems: ProblemList,
): void {
  const said = new Set<string>();
  for (const complaint of withoutOtherWays(complaints)) {
    const { path, message, atKey } = sentenceFor(complaint, schema as SchemaNode);
    if (said.has(`${path}\n${message}`)) continue;
    said.add(`${path}\n${message}`);
    if (atKey) problems.addAtKey(path, message);
    else problems.add(path, message);
  }
}

/**
 * A value that may have several forms complains about each. What it is not at all (another type) is left out when it is
 * one of the others with a mistake inside. Goes once through all: a file of 1 MiB has room for many thousand mistakes.
 */
function withoutOtherWays(complaints: readonly SchemaComplaint[]): SchemaComplaint[] {
  const left = new Set(complaints);
  const byPath = Map.groupBy(complaints, ({ instancePath }) => instancePath);
  const counts = new Map<string, number>();
  const count = (path: string, change: 1 | -1) => {
    for (const at of pathsTo(path)) counts.set(at, (counts.get(at) ?? 0) + change);
  };
  const leaveOut = (complaint: SchemaComplaint) => {
    if (left.delete(complaint)) count(complaint.instancePath, -1);
  };
  for (const { instancePath } of complaints) count(instancePath, 1);
  for (const choice of complaints.filter(({ keyword }) => keyword === "anyOf")) {
    const at = choice.instancePath;
    for (const complaint of byPath.get(at) ?? []) if (isOtherType(complaint)) leaveOut(complaint);
    const others = (counts.get(at) ?? 0) - (left.has(choice) ? 1 : 0);
    if (others > 0) leaveOut(choice);
  }
  const all = [...left];
  const typeless = new Set(
    all.filter(({ keyword }) => keyword === "discriminator").map(({ instancePath }) => instancePath),
  );
  return all.filter(
    ({ instancePath, keyword, params, propertyName }) =>
      propertyName === undefined &&
      !(keyword === "required" && params.missingProperty === "type" && typeless.has(instancePath)),
  );
}

function isOtherType({ keyword, data }: SchemaComplaint): boolean {
  return keyword === "type" || (keyword === "enum" && typeof data !== "string");
}

/** `/a/b`: the document, `/a` and `/a/b`. */
function pathsTo(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

interface Told {
  path: string;
  message: string;
  atKey: boolean;
}

function sentenceFor(complaint: SchemaComplaint, schema: SchemaNode): Told {
  const { instancePath: path, keyword, params, parentSchema, data } = complaint;
  const at = (message: string): Told => ({ path, message, atKey: false });
  const name = path === "" ? "the document" : lastName(path);
  switch (keyword) {
    case "additionalProperties": {
      const field = String(params.additionalProperty);
      return {
        path: `${path}/${pointerPart(field)}`,
        message: unknownField(field, parentSchema ?? {}, schema),
        atKey: true,
      };
    }
    case "propertyNames": {
      const key = String(params.propertyName);
      const message = `${shown(key)} must be ${expected(parentSchema?.propertyNames ?? {})}`;
      return { path: `${path}/${pointerPart(key)}`, message, atKey: true };
    }
    case "required":
      return {
        path,
        message: `"${String(params.missingProperty)}" is missing${path === "" ? "" : ` in ${name}`}`,
        atKey: true,
      };
    case "const":
      return at(`${name} must be ${String(params.allowedValue)}, not ${shown(data)}`);
    case "enum":
      if (/\/checks\/\d+$/.test(path) && checkTypes(schema).includes(String(data))) {
        return at(`${String(data)} needs more than its name: write "type: ${String(data)}" and its fields`);
      }
      return at(oneOf(name, data, (params.allowedValues as unknown[]).map(String)));
    case "discriminator":
      return discriminator(path, params, schema);
    case "minimum":
    case "maximum":
      return at(`${name}: ${shown(data)} is out of range: ${range(parentSchema ?? {})}`);
    case "minItems":
    case "minProperties":
    case "minLength":
      return at(`${name} is empty`);
    case "maxItems":
      return at(`${name} has more than ${String(params.limit)} entries`);
    case "maxProperties":
      return at(`${name} has more than ${String(params.limit)} entries`);
    case "maxLength":
      return at(`${name} is longer than ${String(params.limit)} characters`);
    default:
      if (parentSchema?.["x-secret"])
        return at(`${name} must be ${expected(parentSchema)}; a secret is never written down here`);
      return at(`${name} must be ${expected(parentSchema ?? {})}, not ${shown(data)}`);
  }
}

function unknownField(field: string, parent: SchemaNode, schema: SchemaNode): string {
  const known = Object.keys(parent.properties ?? {});
  for (const [section, node] of Object.entries(parent.properties ?? {})) {
    if (resolve(node, schema).properties?.[field]) return `unknown field "${field}": it belongs below "${section}"`;
  }
  const near = nearestWord(field, known);
  if (near !== null) return `unknown field "${field}"; did you mean "${near}"?`;
  return `unknown field "${field}"; there are: ${known.join(", ")}`;
}

function resolve(node: SchemaNode, schema: SchemaNode): SchemaNode {
  const name = /^#\/definitions\/(.+)$/.exec(node.$ref ?? "")?.[1];
  return name === undefined ? node : (schema.definitions?.[name] ?? {});
}

function discriminator(path: string, params: Record<string, unknown>, schema: SchemaNode): Told {
  const types = checkTypes(schema);
  const { tag, tagValue } = params as { tag: string; tagValue: unknown };
  if (tagValue === undefined) return { path, message: `a check needs a "${tag}": ${types.join(", ")}`, atKey: false };
  return { path: `${path}/${tag}`, message: oneOf(tag, tagValue, types), atKey: false };
}

function checkTypes(schema: SchemaNode): string[] {
  return Object.values(schema.definitions ?? {}).flatMap(({ properties }) => {
    const type = properties?.type?.const;
    return type === undefined ? [] : [String(type)];
  });
}

function oneOf(name: string, data: unknown, allowed: readonly string[]): string {
  const near = typeof data === "string" ? nearestWord(data, allowed) : null;
  const list = allowed.join(", ");
  if (near !== null) return `${name}: there is no ${shown(data)}; did you mean "${near}"? (one of ${list})`;
  return `${name} must be one of ${list}, not ${shown(data)}`;
}

function range({ minimum, maximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) return `${String(minimum)} to ${String(maximum)}`;
  return minimum === undefined ? `at most ${String(maximum)}` : `at least ${String(minimum)}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list (lines that start with -)",
  object: "a group of fields (name: value)",
};

function expected(node: SchemaNode): string {
  if (node["x-expected"] !== undefined) return node["x-expected"];
  const types = [node.type].flat().map((type) => TYPES[String(type)] ?? "something else");
  return [...new Set(types)].join(" or ");
}

function shown(data: unknown): string {
  if (data === null || data === undefined) return "empty";
  if (Array.isArray(data)) return "a list";
  if (typeof data === "object") return "a group of fields";
  const text = typeof data === "string" ? JSON.stringify(data) : String(data);
  return text.length <= MAX_SHOWN_CHARS ? text : `${text.slice(0, MAX_SHOWN_CHARS - 1)}…`;
}

/** `/spec/checks/0/port` → `port`; `/spec/checks/0` → `checks[0]`. */
function lastName(path: string): string {
  const parts = path
    .split("/")
    .slice(1)
    .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
  const last = parts.at(-1)!;
  return /^\d+$/.test(last) && parts.length > 1 ? `${parts.at(-2)!}[${last}]` : last;
}
