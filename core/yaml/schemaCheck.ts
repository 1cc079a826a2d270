// JSON Schemas applied to the plain values of YAML files. The only file that knows the package ajv, loaded when used.

import type { SchemaComplaint } from "./schemaProblems.js";

export class SchemaCheck {
  /** For suggestions: the schema itself. */
  readonly schema: object;
  #validate: Promise<(value: unknown) => SchemaComplaint[]> | undefined;

  constructor(schema: object) {
    this.schema = schema;
  }

  /**
   * What the schema does not allow; empty when the value has its form. Of a list with far more entries than any may have the first ones
   * are enough: ajv takes time with the square of the mistakes.
   */
  async complaints(value: unknown): Promise<SchemaComplaint[]> {
    this.#validate ??= compile(this.schema);
    const validate = await this.#validate;
    const first = validate(shortened(value));
    return first.length > 0 ? first : validate(value);
  }
}

/** More than any list or map of our schemas may have. */
const MAX_ENTRIES = 1001;

function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map(shortened);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(entries.map(([name, each]) => [name, shortened(each)]));
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
