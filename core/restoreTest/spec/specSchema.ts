// schemas/restore-test.json applied to the plain value of a spec. The only file that knows the package ajv, loaded when used.

import schema from "../../../schemas/restore-test.json" with { type: "json" };
import type { SchemaComplaint } from "./schemaProblems.js";

type Check = (value: unknown) => SchemaComplaint[];

let check: Promise<Check> | undefined;

/** What the schema does not allow, all of it; empty when the value has the form that rawSpec.ts describes. */
export async function schemaComplaints(value: unknown): Promise<SchemaComplaint[]> {
  check ??= compile();
  return (await check)(value);
}

async function compile(): Promise<Check> {
  const { Ajv } = await import("ajv");
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    discriminator: true,
    allowUnionTypes: true,
    strictRequired: false,
    logger: false,
  });
  ajv.addVocabulary(["x-expected"]);
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : [...((validate.errors ?? []) as SchemaComplaint[])]);
}

/** For suggestions: the schema itself. */
export function restoreTestSchema(): unknown {
  return schema;
}
