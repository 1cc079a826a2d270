// The one error for everything that is wrong with a spec file, and the schema that says what is right.

import schema from "../../../schemas/restore-test.json" with { type: "json" };
import type { RepriseError } from "../../errors.js";
import { type FileProblem, fileInvalid } from "../../yaml/problems.js";
import { SchemaCheck } from "../../yaml/schemaCheck.js";

const HINT =
  "docs/restore-tests.md describes every field; an editor with schemas/restore-test.json completes and checks them";

export const restoreTestSchema = new SchemaCheck(schema);

/** SPEC_INVALID, with all problems and their places in its data. */
export function specInvalid(fileName: string, found: readonly FileProblem[]): RepriseError {
  return fileInvalid(fileName, found, { code: "SPEC_INVALID", hint: HINT });
}
