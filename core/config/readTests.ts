// The restore tests of a configuration: those that stand in it, as a whole document or in short, and those in files that it names.

import { isAbort, isOurError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { readPlacedSpecs, readSpecValue } from "../restoreTest/spec/readSpec.js";
import { type FileProblem, ProblemList } from "../yaml/problems.js";
import type { PlainValue } from "../yaml/yamlDocuments.js";
import type { Building } from "./building.js";
import { type ConfigFiles, depthOfPattern, folderOfPattern, isPattern, MAX_NAMED_FILE_BYTES } from "./configFiles.js";
import type { ConfiguredTest } from "./repriseConfig.js";
import { matchesPath } from "./wildcard.js";

/** Of metadata; in the short form they stand beside the fields of spec. */
const METADATA = ["name", "description", "owner", "criticality", "controls"];
const MAX_FILES = 200;

export interface TestsContext extends Building {
  fileName: string;
  files: ConfigFiles;
  /** Problems in other files. */
  elsewhere: FileProblem[];
  /** Names of tests with mistakes: jobs and gates may name them all the same. */
  broken: string[];
}

export async function readTests(items: readonly unknown[], context: TestsContext): Promise<ConfiguredTest[]> {
  const found: { test: ConfiguredTest; at: string }[] = [];
  for (const [i, item] of items.entries()) {
    const at = `/restore-tests/${i}`;
    for (const test of await readItem(item, at, context)) {
      const same = found.find((earlier) => earlier.test.name === test.name);
      if (same !== undefined) {
        context.problems.add(
          at,
          `two restore tests have the name ${test.name}: ${placeOf(same.test)} and ${placeOf(test)}`,
        );
      }
      if (test.name === "all")
        context.problems.add(at, `a restore test must not be called all: that stands for all of them`);
      found.push({ test, at });
    }
  }
  return found.map(({ test }) => test);
}

function placeOf({ fileName, line }: ConfiguredTest): string {
  return `${fileName}:${line}`;
}

async function readItem(item: unknown, at: string, context: TestsContext): Promise<ConfiguredTest[]> {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    context.problems.add(
      at,
      "a restore test is a group of fields: name and machine at least, or file: with the path of one",
    );
    return [];
  }
  const fields = item as { [name: string]: PlainValue };
  if (fields.file !== undefined) return await readFiles(fields, at, context);
  const test = await readInline(fields, at, context);
  return test === null ? [] : [test];
}

async function readInline(
  fields: { [name: string]: PlainValue },
  at: string,
  { problems, fileName, broken }: TestsContext,
): Promise<ConfiguredTest | null> {
  const isDocument = fields.spec !== undefined || fields.metadata !== undefined;
  const document: { [name: string]: PlainValue } = isDocument
    ? { apiVersion: "reprise/v1", kind: "RestoreTest", ...fields }
    : { apiVersion: "reprise/v1", kind: "RestoreTest", ...inShort(fields) };
  const toOurs = (path: string) => at + (isDocument ? path : path.replace(/^\/(metadata|spec)(?=\/|$)/, ""));
  const own = new ProblemList((path, part) => problems.placeOf(toOurs(path), part));
  const spec = await readSpecValue(document, own);
  problems.take(own.problems.map((problem) => ({ ...problem, path: toOurs(problem.path) })));
  const name = (document.metadata as { name?: unknown } | null)?.name;
  if ((spec === null || own.problems.length > 0) && typeof name === "string") broken.push(name);
  if (spec === null) return null;
  // of its own fields: changes elsewhere in the file do not make it another test
  const specDigest = bytesToHex(sha256(new TextEncoder().encode(canonical(document))));
  return { name: spec.name, fileName, specDigest, spec, line: problems.line(at) };
}

function inShort(fields: { [name: string]: PlainValue }): { [name: string]: PlainValue } {
  const isMetadata = ([name]: [string, PlainValue]) => METADATA.includes(name);
  const entries = Object.entries(fields);
  return {
    metadata: Object.fromEntries(entries.filter(isMetadata)),
    spec: Object.fromEntries(entries.filter((entry) => !isMetadata(entry))),
  };
}

/** JSON with sorted keys. */
function canonical(value: PlainValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key]!)}`).join(",")}}`;
}

async function readFiles(
  fields: { [name: string]: PlainValue },
  at: string,
  context: TestsContext,
): Promise<ConfiguredTest[]> {
  const { problems } = context;
  for (const name of Object.keys(fields)) {
    if (name !== "file")
      problems.addAtKey(`${at}/${name}`, `${name} cannot stand beside file: it belongs into that file`);
  }
  const { file } = fields;
  const isPath = typeof file === "string" && file !== "" && file.length <= 4096 && !file.includes("\0");
  if (!isPath) {
    problems.add(`${at}/file`, "file must be the path of a file with restore tests, or a pattern such as tests/*.yaml");
    return [];
  }
  const paths = isPattern(file) ? await filesOf(file, `${at}/file`, context) : [file];
  const tests: ConfiguredTest[] = [];
  for (const path of paths) tests.push(...(await readFileTests(path, `${at}/file`, context)));
  return tests;
}

async function filesOf(pattern: string, at: string, { problems, files }: TestsContext): Promise<string[]> {
  if (files.listFiles === undefined) {
    problems.add(at, "file: this pattern cannot be followed here; name the files");
    return [];
  }
  let listed: readonly string[];
  try {
    listed = await files.listFiles(folderOfPattern(pattern), depthOfPattern(pattern));
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    problems.add(at, `file: ${error.message}, so nobody knows what ${JSON.stringify(pattern)} matches`);
    return [];
  }
  const found = listed.filter((path) => matchesPath(pattern, path)).sort();
  if (found.length === 0) problems.add(at, `file: ${JSON.stringify(pattern)} matches no file`);
  if (found.length <= MAX_FILES) return found;
  problems.add(at, `file: ${JSON.stringify(pattern)} matches more than ${MAX_FILES} files`);
  return [];
}

async function readFileTests(path: string, at: string, context: TestsContext): Promise<ConfiguredTest[]> {
  const fileName = besideOf(context.fileName, path);
  let bytes: Uint8Array;
  try {
    bytes = await context.files.readFile(path);
  } catch (error) {
    if ((error as { name?: unknown }).name === "AbortError") throw error;
    const reason = (error as { code?: unknown }).code;
    context.problems.add(at, `file: ${path} cannot be read${typeof reason === "string" ? ` (${reason})` : ""}`);
    return [];
  }
  if (bytes.length > MAX_NAMED_FILE_BYTES) {
    context.problems.add(at, `file: ${path} is larger than 1 MiB`);
    return [];
  }
  const specDigest = bytesToHex(sha256(bytes));
  try {
    const placed = await readPlacedSpecs(new TextDecoder().decode(bytes), fileName);
    return placed.map(({ spec, line }) => ({ name: spec.name, fileName, specDigest, spec, line }));
  } catch (error) {
    if (!isOurError(error, "SPEC_INVALID")) throw error;
    context.elsewhere.push(
      ...(error.data.problems as FileProblem[]).map((problem) => ({ ...problem, file: fileName })),
    );
    return [];
  }
}

/** As people would type it where they typed the name of the configuration. */
function besideOf(configName: string, path: string): string {
  const folder = configName.slice(0, configName.lastIndexOf("/") + 1);
  return path.startsWith("/") ? path : folder + path.replace(/^\.\//, "");
}
