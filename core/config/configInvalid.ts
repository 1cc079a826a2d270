// The one error for everything that is wrong with a configuration, and the schema that says what is right.

import schema from "../../schemas/reprise.json" with { type: "json" };
import type { RepriseError } from "../errors.js";
import { type FileProblem, fileInvalid } from "../yaml/problems.js";
import { SchemaCheck } from "../yaml/schemaCheck.js";

const HINT =
  "docs/configuration.md describes every field; an editor with schemas/reprise.json completes and checks them";

/** Restore tests are left to their own schema, which knows more about what was meant. */
export const configSchema = new SchemaCheck({
  ...schema,
  properties: { ...schema.properties, "restore-tests": { ...schema.properties["restore-tests"], items: {} } },
});

/** CONFIG_INVALID, with all problems and their places in its data. */
export function configInvalid(fileName: string, found: readonly FileProblem[]): RepriseError {
  return fileInvalid(fileName, found, { code: "CONFIG_INVALID", hint: HINT });
}
