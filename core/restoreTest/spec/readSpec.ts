// Restore-test specs from text: YAML, form, contradictions, defaults. Every mistake is told with its place: SPEC_INVALID.

import { type FileProblem, ProblemList } from "../../yaml/problems.js";
import { addSchemaProblems } from "../../yaml/schemaProblems.js";
import { type PlainValue, readYamlDocuments } from "../../yaml/yamlDocuments.js";
import { buildSpec } from "./buildSpec.js";
import type { RawDocument } from "./rawSpec.js";
import { TEXT_KEYS } from "./rawSpec.js";
import type { RestoreTestSpec } from "./restoreTestSpec.js";
import { restoreTestSchema, specInvalid } from "./specInvalid.js";

/**
 * Reads a file with one spec. `fileName` is used in messages only. SPEC_INVALID, with all problems and their places in its
 * data: see specInvalid.
 */
export async function readRestoreTestSpec(text: string, fileName: string): Promise<RestoreTestSpec> {
  const specs = await readRestoreTestSpecs(text, fileName);
  if (specs.length === 1) return specs[0]!;
  throw specInvalid(fileName, [
    { line: 1, column: 1, path: "", message: `the file has ${specs.length} documents; one was expected here` },
  ]);
}

/** Reads a file with one or several specs, separated by lines of `---`. SPEC_INVALID. */
export async function readRestoreTestSpecs(text: string, fileName: string): Promise<RestoreTestSpec[]> {
  return (await readPlacedSpecs(text, fileName)).map(({ spec }) => spec);
}

/** The same, with the line where each begins. SPEC_INVALID. */
export async function readPlacedSpecs(
  text: string,
  fileName: string,
): Promise<{ spec: RestoreTestSpec; line: number }[]> {
  const { documents, problems } = await readYamlDocuments(text, { textKeys: TEXT_KEYS });
  if (problems.length > 0) throw specInvalid(fileName, problems);
  if (documents.length === 0) {
    throw specInvalid(fileName, [
      { line: 1, column: 1, path: "", message: "the file is empty: there is no spec in it" },
    ]);
  }
  const found: FileProblem[] = [];
  const names = new Set<string>();
  const specs: { spec: RestoreTestSpec; line: number }[] = [];
  for (const document of documents) {
    const list = new ProblemList((path, part) => document.placeOf(path, part));
    const spec = await readSpecValue(document.value, list);
    if (spec !== null && names.has(spec.name)) {
      list.add("/metadata/name", `two specs of this file have the name "${spec.name}"`);
    }
    if (spec !== null) names.add(spec.name);
    if (spec !== null) specs.push({ spec, line: list.line("") });
    found.push(...list.problems);
  }
  if (found.length > 0) throw specInvalid(fileName, found);
  return specs;
}

/** One spec out of values that were read already. Null when its form is wrong; the reasons are in the list then. */
export async function readSpecValue(value: PlainValue, problems: ProblemList): Promise<RestoreTestSpec | null> {
  const complaints = await restoreTestSchema.complaints(value);
  addSchemaProblems(complaints, restoreTestSchema.schema, problems);
  return complaints.length > 0 ? null : buildSpec(value as unknown as RawDocument, problems);
}
