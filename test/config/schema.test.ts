// schemas/reprise.json: what editors know about a configuration, and docs/configuration.md, which explains it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { TEXT_KEYS } from "../../core/config/rawConfig.js";
import { SchemaCheck } from "../../core/yaml/schemaCheck.js";
import { readYamlDocuments } from "../../core/yaml/yamlDocuments.js";
import { inProject } from "../support/projectRoot.js";
import { configOf } from "./configText.js";

interface Node {
  $ref?: string;
  type?: string | string[];
  description?: string;
  default?: unknown;
  properties?: Record<string, Node>;
  definitions?: Record<string, Node>;
  anyOf?: Node[];
  items?: Node;
  additionalProperties?: Node | boolean;
}

const readJson = (path: string) => JSON.parse(readFileSync(inProject(path), "utf8")) as Node;
const schema = readJson("schemas/reprise.json");
const guide = readFileSync(inProject("docs/configuration.md"), "utf8");

/** Every field of ours, by the names on the way to it; restore tests have a guide of their own. */
function* fieldsOf(node: Node, path: string): Generator<[string, Node]> {
  const target = node.$ref === undefined ? node : schema.definitions![node.$ref.replace("#/definitions/", "")]!;
  for (const [name, property] of Object.entries(target.properties ?? {})) {
    if (name === "restore-tests") continue;
    yield [`${path}.${name}`, property];
    yield* fieldsOf(property, `${path}.${name}`);
  }
  const below = [target.items, target.additionalProperties, ...(target.anyOf ?? [])];
  for (const child of below) if (typeof child === "object") yield* fieldsOf(child, path);
}

const fields = [...fieldsOf(schema, "")];

describe("the schema of configurations", () => {
  it("describes every field", () => {
    assert.ok(fields.length > 60, String(fields.length));
    const resolved = (node: Node) => schema.definitions![node.$ref?.replace("#/definitions/", "") ?? ""] ?? node;
    assert.deepEqual(
      fields.filter(([, node]) => !resolved(node).description).map(([path]) => path),
      [],
    );
  });

  it("has restore tests as their own schema says (scripts/copySpecSchema.mjs)", () => {
    const spec = readJson("schemas/restore-test.json");
    for (const [name, node] of Object.entries(spec.definitions!))
      assert.deepEqual(schema.definitions![name], node, name);
    const { metadata, spec: body } = spec.properties!;
    assert.deepEqual(schema.definitions!["restore-test-inline"]!.properties, {
      ...metadata!.properties,
      ...body!.properties,
    });
    assert.deepEqual(schema.definitions!["restore-test-document"]!.properties, spec.properties);
  });

  it("is explained by the guide, field by field, with its defaults", () => {
    const names = fields.map(([path]) => path.split(".").at(-1)!);
    assert.deepEqual(
      [...new Set(names)].filter((name) => !guide.includes(`| \`${name}\` |`)),
      [],
    );
    const untold = fields.filter(([path, node]) => {
      const rows = guide.split("\n").filter((line) => line.startsWith(`| \`${path.split(".").at(-1)!}\` |`));
      return node.default !== undefined && !rows.some((row) => row.includes(`Default: \`${String(node.default)}\``));
    });
    assert.deepEqual(
      untold.map(([path]) => path),
      [],
    );
  });

  it("takes what is a text to people as a text", () => {
    const both = fields.filter(([, { type }]) => Array.isArray(type) && type.includes("number"));
    for (const [path] of both) assert.ok(TEXT_KEYS.has(path.split(".").at(-1)!), path);
  });

  it("holds for the examples of the guide and of the tests, as editors apply it", async () => {
    const found = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml]) => yaml!);
    assert.ok(found.length >= 4, String(found.length));
    const check = new SchemaCheck(schema);
    for (const text of [...found, readFileSync(inProject("test/config/example.yml"), "utf8")]) {
      const { documents } = await readYamlDocuments(text, { textKeys: TEXT_KEYS });
      assert.deepEqual(await check.complaints(documents[0]!.value), [], text);
      await configOf(text);
    }
  });

  it("lists the schedules of the guide as they are read", async () => {
    const { parseSchedule } = await import("../../core/calendar/schedule.js");
    const table = guide.slice(guide.indexOf("| event | runs |")).split("\n\n")[0]!;
    const events = [...table.matchAll(/^\| (`.*) \|.*\|$/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, event]) => event!),
    );
    assert.ok(events.length > 15, String(events.length));
    for (const event of events) parseSchedule(event);
  });
});
