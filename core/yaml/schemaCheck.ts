// JSON Schemas applied to the plain values of YAML files. The only file that knows the package ajv, loaded when used.

import type { SchemaComplaint } from "./schemaProblems.js";

export class SchemaCheck {
  /** For suggestions: the schema itself. */
  readonly schema: object;
  #validate: Promise<(value: unknown) => SchemaComplaint[]> | undefined;

  constructor(schema: object) {
    this.schema = schema;
  }

  /** What the schema does not allow, all of it; empty when the value has its form. */
  async complaints(value: unknown): Promise<SchemaComplaint[]> {
    this.#validate ??= compile(this.schema);
    return (await this.#validate)(value);
  }
}

async function compile(schema: object): Promise<(value: unknown) => SchemaComplaint[]> {
  const { Ajv } = await import("ajv");
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    discriminator: true,
    allowUnionTypes: true,
    strictRequired: false,
    logger: false,
  });
  // x-secret: what is written there is not shown, also when it is wrong
  ajv.addVocabulary(["x-expected", "x-secret"]);
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : [...((validate.errors ?? []) as SchemaComplaint[])]);
}
