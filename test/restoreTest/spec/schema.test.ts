// schemas/restore-test.json, the types, the readers and the guide say the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ACCELERATORS, DISK_BUSES, NIC_MODELS } from "../../../core/hypervisor/machineShape.js";
import { Pattern } from "../../../core/platform/pattern.js";
import { LEVEL_OF_CHECK } from "../../../core/restoreTest/spec/checkLevels.js";
import { TEXT_KEYS } from "../../../core/restoreTest/spec/rawSpec.js";
import { readRestoreTestSpec, readRestoreTestSpecs } from "../../../core/restoreTest/spec/readSpec.js";
import { DISK_WAYS, SEVERITIES, TEST_LEVELS } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import { inProject } from "../../support/projectRoot.js";
import { EVERY_FIELD } from "./specText.js";

interface Node {
  $ref?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  type?: string | string[];
  enum?: unknown[];
  properties?: Record<string, Node>;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
  additionalProperties?: boolean;
  definitions?: Record<string, Node>;
}

const schema = JSON.parse(readFileSync(inProject("schemas/restore-test.json"), "utf8")) as Node;

function resolved(node: Node): Node {
  const name = /^#\/definitions\/(.+)$/.exec(node.$ref ?? "")?.[1];
  return name === undefined ? node : schema.definitions![name]!;
}

/** Every field, as `spec.hardware.memory` or `http.port`, with what the schema says about it. */
function fieldsBelow(node: Node, path: string, found = new Map<string, Node>()): Map<string, Node> {
  const here = resolved(node);
  const type = here.properties?.type?.const;
  const prefix = type === undefined ? path : String(type);
  for (const [name, child] of Object.entries(here.properties ?? {})) {
    const at = prefix === "" ? name : `${prefix}.${name}`;
    if (found.has(at)) continue;
    found.set(at, resolved(child));
    fieldsBelow(child, at, found);
  }
  for (const child of [here.items, ...(here.anyOf ?? []), ...(here.oneOf ?? [])]) {
    if (child !== undefined) fieldsBelow(child, prefix, found);
  }
  return found;
}

function enumOf(path: string): unknown[] | undefined {
  return fieldsBelow(schema, "").get(path)?.enum;
}

describe("schemas/restore-test.json", () => {
  const fields = fieldsBelow(schema, "");

  it("describes every field and allows no others", () => {
    assert.ok(fields.size > 100, String(fields.size));
    const mute = [...fields].filter(([, node]) => (node.description ?? "").length < 8).map(([path]) => path);
    assert.deepEqual(mute, []);
    const open = [...fields].filter(([, node]) => node.properties && node.additionalProperties !== false);
    assert.deepEqual(
      open.map(([path]) => path),
      [],
    );
  });

  it("knows the same words as the types", () => {
    assert.deepEqual(enumOf("spec.level"), [...TEST_LEVELS]);
    assert.deepEqual(enumOf("spec.via"), [...DISK_WAYS]);
    assert.deepEqual(enumOf("chunks.severity"), [...SEVERITIES]);
    assert.deepEqual(enumOf("spec.hardware.disk-bus"), [...DISK_BUSES]);
    assert.deepEqual(enumOf("spec.hardware.nic-model"), [...NIC_MODELS]);
    assert.deepEqual(enumOf("spec.hardware.accelerator"), [...ACCELERATORS]);
    const types = Object.values(schema.definitions ?? {}).flatMap(({ properties }) => properties?.type?.const ?? []);
    assert.deepEqual(types.sort(), Object.keys(LEVEL_OF_CHECK).sort());
  });

  it("has no field that the reader ignores: taking one away changes what is read", async () => {
    const before = JSON.stringify(await readRestoreTestSpec(EVERY_FIELD, "x"), showPatterns);
    const named = [...fields.keys()].map((path) => path.split(".").at(-1)!);
    for (const name of new Set(named)) {
      assert.ok(
        new RegExp(`(^|[\\s{])${name}:`, "m").test(EVERY_FIELD) || name === "machine",
        `${name} is not in EVERY_FIELD`,
      );
    }
    // every field of one line, or of one object in braces, but those without which nothing is read
    const needed = /^(apiVersion|kind|name|type|machine|machines|spec|metadata|path|run|query|port|id|mode)$/;
    const places = [...EVERY_FIELD.matchAll(/(?<=[{,]\s?)([a-z-]+): ("[^"]*"|\[[^\]]*\]|[^,}\]]+)(, )?/g)];
    let compared = 0;
    for (const { 0: whole, 1: name, index } of places) {
      if (needed.test(name!) || (name === "exists" && whole.includes("true"))) continue;
      const text = EVERY_FIELD.slice(0, index) + EVERY_FIELD.slice(index + whole.length);
      const after = await readRestoreTestSpec(text.replaceAll(/, ?\}/g, "}"), name!).then(
        (spec) => JSON.stringify(spec, showPatterns),
        (error: Error) => error.message,
      );
      assert.notEqual(after, before, `${name} in "${whole}" changes nothing`);
      compared++;
    }
    assert.ok(compared > 50, String(compared));
  });

  it("takes what is a text to people as a text", () => {
    const both = [...fields].filter(([, { type }]) => Array.isArray(type) && type.includes("number"));
    assert.ok(both.length > 5);
    for (const [path] of both) assert.ok(TEXT_KEYS.has(path.split(".").at(-1)!), path);
  });

  it("is explained by the guide, field by field, with its defaults", () => {
    const guide = readFileSync(inProject("docs/restore-tests.md"), "utf8");
    const missing = [...fields.keys()]
      .map((path) => path.split(".").at(-1)!)
      .filter((name) => !guide.includes(`\`${name}\``));
    assert.deepEqual([...new Set(missing)], []);
    const untold = [...fields].filter(([path, node]) => {
      if (node.default === undefined) return false;
      const name = path.split(".").at(-1)!;
      const rows = guide.split("\n").filter((line) => new RegExp(`^\\|[^|]*\\|? ?\`${name}\``).test(line));
      const shown = Array.isArray(node.default) ? node.default.join(", ") : String(node.default);
      return !rows.some((row) => row.includes(shown));
    });
    assert.deepEqual(
      untold.map(([path, node]) => `${path}: ${String(node.default)}`),
      [],
    );
  });

  it("holds for the examples of the guide", async () => {
    const guide = readFileSync(inProject("docs/restore-tests.md"), "utf8");
    const examples = [...guide.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(([, indent, yaml]) =>
      yaml!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    );
    assert.ok(examples.length >= 6, String(examples.length));
    for (const example of examples) await readRestoreTestSpecs(example, "docs/restore-tests.md");
  });
});

function showPatterns(_key: string, value: unknown): unknown {
  return value instanceof Pattern ? String(value) : value;
}
