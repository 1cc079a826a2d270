// Keys and fixed values that a JSON Schema of ours allows at a place in a YAML text, for editors without an extension that knows
// YAML. As far as our schemas go: draft 7 with references to definitions of their own.

import { indentOf, keyOfLine, type YamlPlace } from "./yamlPlace.js";

export type SchemaNode = { readonly [key: string]: unknown };

export interface Proposal {
  text: string;
  description: string;
  /** What belongs behind a key. */
  holds: "block" | "value";
}

/** Deeper nesting is nobody's hand-written one. */
const MAX_DEPTH = 30;

/** Keys for where the cursor stands, without those that are there. */
export function keysAt(schema: SchemaNode, { path, onKey }: YamlPlace, siblings: Siblings): Proposal[] {
  const found = new Map<string, Proposal>();
  for (const node of nodesAt(schema, onKey ? path.slice(0, -1) : path, siblings)) {
    for (const [text, below] of Object.entries(asNode(node.properties) ?? {})) {
      const own = asNode(below);
      if (own === undefined || found.has(text) || siblings.has(text)) continue;
      const nodes = expanded(schema, own, new Map(), 0);
      const holds = nodes.some(({ type }) => type === "object" || type === "array") ? "block" : "value";
      found.set(text, { text, description: descriptionOf(schema, own), holds });
    }
  }
  return [...found.values()];
}

/** Values that are listed, and yes or no. */
export function valuesAt(schema: SchemaNode, { path, onKey }: YamlPlace): Proposal[] {
  if (onKey) return [];
  const found = new Map<string, Proposal>();
  for (const node of nodesAt(schema, path, new Map())) {
    const values = [...asList(node.enum), ...("const" in node ? [node.const] : [])];
    if (node.type === "boolean") values.push(true, false);
    for (const value of values) {
      if (!["string", "number", "boolean"].includes(typeof value)) continue;
      const text = String(value);
      found.set(text, { text, description: descriptionOf(schema, node), holds: "value" });
    }
  }
  return [...found.values()];
}

/** What else stands in the same map: names and what is behind them, as it is written. */
export type Siblings = ReadonlyMap<string, string>;

export function siblingsAt(lines: readonly string[], line: number, character: number): Siblings {
  const text = lines[line] ?? "";
  const before = text.slice(0, character);
  const open = before.lastIndexOf("{");
  if (open > before.lastIndexOf("}")) return inFlow(before.slice(open + 1));
  const found = new Map<string, string>();
  const own = indentOf(text);
  const add = (at: string) => {
    const key = keyOfLine(at);
    if (key !== undefined) found.set(key, at.slice(at.indexOf(":", at.indexOf(key) + key.length) + 1).trim());
  };
  for (let at = line - 1; at >= 0 && !isItem(text, own); at--) {
    const other = lines[at] ?? "";
    if (isBlank(other) || indentOf(other) > own) continue;
    if (indentOf(other) < own) break;
    add(other);
    if (isItem(other, own)) break;
  }
  for (let at = line + 1; at < lines.length; at++) {
    const other = lines[at] ?? "";
    if (isBlank(other) || indentOf(other) > own) continue;
    if (indentOf(other) < own || isItem(other, own)) break;
    add(other);
  }
  return found;
}

/** Whether a key, rather than a value, belongs where the cursor is. */
export function isKeyPlace(text: string, character: number, { onKey }: YamlPlace): boolean {
  if (onKey) return true;
  const before = text.slice(0, character);
  if (/^\s*(?:- +)*[\w-]*$/.test(before)) return true;
  const open = before.lastIndexOf("{");
  return open > before.lastIndexOf("}") && /[{,]\s*[\w-]*$/.test(before) && !/\[[^\]]*$/.test(before.slice(open));
}

function inFlow(text: string): Siblings {
  const entries = text.matchAll(/(?:^|,)\s*["']?([\w-]+)["']?\s*:\s*([^,]*)/g);
  return new Map(Array.from(entries, ([, key = "", value = ""]) => [key, value.trim()]));
}

function nodesAt(schema: SchemaNode, path: readonly string[], siblings: Siblings): SchemaNode[] {
  let nodes = expanded(schema, schema, path.length === 0 ? siblings : new Map(), 0);
  for (const [depth, key] of path.slice(0, MAX_DEPTH).entries()) {
    const below = nodes.flatMap((node) => childrenOf(node, key));
    const narrowing = depth === path.length - 1 ? siblings : new Map<string, string>();
    nodes = below.flatMap((node) => expanded(schema, node, narrowing, 0));
  }
  return nodes;
}

function childrenOf({ properties, additionalProperties }: SchemaNode, key: string): SchemaNode[] {
  const named = asNode(properties);
  const child = named !== undefined && Object.hasOwn(named, key) ? named[key] : additionalProperties;
  const node = asNode(child);
  return node === undefined ? [] : [node];
}

/** The node itself, what it may be, and what its list holds: items have no key of their own. */
function expanded(schema: SchemaNode, node: SchemaNode, siblings: Siblings, depth: number): SchemaNode[] {
  if (depth > MAX_DEPTH || contradicts(node, siblings)) return [];
  const parts: unknown[] = [...asList(node.anyOf), ...asList(node.oneOf), node.items, referred(schema, node)];
  const below = parts.map(asNode).filter((part) => part !== undefined);
  return [node, ...below.flatMap((part) => expanded(schema, part, siblings, depth + 1))];
}

function contradicts({ properties }: SchemaNode, siblings: Siblings): boolean {
  const named = asNode(properties) ?? {};
  return [...siblings].some(([key, value]) => {
    const expected = Object.hasOwn(named, key) ? asNode(named[key])?.const : undefined;
    return typeof expected === "string" && value !== "" && value.replaceAll(/["']/g, "") !== expected;
  });
}

function referred(schema: SchemaNode, { $ref }: SchemaNode): unknown {
  const name = typeof $ref === "string" ? /^#\/definitions\/([^/]+)$/.exec($ref)?.[1] : undefined;
  const definitions = asNode(schema.definitions);
  return name !== undefined && definitions !== undefined && Object.hasOwn(definitions, name)
    ? definitions[name]
    : undefined;
}

function descriptionOf(schema: SchemaNode, node: SchemaNode): string {
  const { description } = node.description === undefined ? (asNode(referred(schema, node)) ?? {}) : node;
  return typeof description === "string" ? description : "";
}

function isItem(text: string, indent: number): boolean {
  return /- *$/.test(text.slice(0, indent));
}

function isBlank(text: string): boolean {
  return /^\s*(#|$)/.test(text);
}

function asNode(value: unknown): SchemaNode | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as SchemaNode) : undefined;
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
