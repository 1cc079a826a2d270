// Copies what schemas/restore-test.json says about specs into schemas/reprise.json, where they stand inline: editors complete them there
// without a second file. Run it after a change of either: node scripts/copySpecSchema.mjs, then biome check --write schemas.

import { readFileSync, writeFileSync } from "node:fs";

const PATH = new URL("../schemas/reprise.json", import.meta.url);
const read = (url) => JSON.parse(readFileSync(url, "utf8"));
const spec = read(new URL("../schemas/restore-test.json", import.meta.url));
const { definitions, ...top } = read(PATH);

/** What is not copied. */
const own = Object.fromEntries(
  Object.entries(definitions).filter(([name]) => !(name in spec.definitions) && !name.startsWith("restore-test")),
);
const { apiVersion, kind, metadata, spec: specNode } = spec.properties;
const copied = {
  "restore-test": {
    "x-expected": "a restore test, or file: with the path of one",
    anyOf: [
      { $ref: "#/definitions/restore-test-file" },
      { $ref: "#/definitions/restore-test-inline" },
      { $ref: "#/definitions/restore-test-document" },
    ],
  },
  "restore-test-file": {
    type: "object",
    description: "Restore tests in files of their own.",
    additionalProperties: false,
    properties: {
      file: {
        type: "string",
        minLength: 1,
        maxLength: 4096,
        description: "A file with restore tests, or a pattern such as tests/*.yaml; relative to this file.",
      },
    },
    required: ["file"],
  },
  "restore-test-inline": {
    type: "object",
    description: "A restore test: name, description, owner, criticality, controls, and the fields of spec.",
    additionalProperties: false,
    properties: { ...metadata.properties, ...specNode.properties },
    required: ["name"],
  },
  "restore-test-document": {
    type: "object",
    description: "A restore test as it stands in a file of its own.",
    additionalProperties: false,
    properties: { apiVersion, kind, metadata, spec: specNode },
    required: ["metadata", "spec"],
  },
  ...spec.definitions,
};
writeFileSync(PATH, `${JSON.stringify({ ...top, definitions: { ...own, ...copied } }, null, 2)}\n`);
