// reprise.yml from text: YAML, form, names, contradictions, defaults. Every mistake is told with its place: CONFIG_INVALID. What is
// only odd becomes a warning. Nothing is opened and no secret is read here.

import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { type FileProblem, inFileOrder, ProblemList, printable } from "../yaml/problems.js";
import { addSchemaProblems } from "../yaml/schemaProblems.js";
import { readYamlDocuments, type YamlDocument } from "../yaml/yamlDocuments.js";
import { buildGates } from "./buildGates.js";
import { buildJobs, checkTimeZone } from "./buildJobs.js";
import { buildMachines, hasSources } from "./buildMachines.js";
import { buildEvidence, buildNotifications } from "./buildNotifications.js";
import { buildRepositories } from "./buildRepositories.js";
import type { ConfigFiles } from "./configFiles.js";
import { configInvalid, configSchema } from "./configInvalid.js";
import { lookAcross } from "./lookAcross.js";
import { type RawConfig, TEXT_KEYS } from "./rawConfig.js";
import { readTests } from "./readTests.js";
import type { RepriseConfig } from "./repriseConfig.js";

export interface ReadConfigOptions extends ConfigFiles {
  /** For messages; files that the configuration names are shown beside it. */
  fileName: string;
  /** To find schedules without a run left; default: the clock. */
  nowMs?: number;
}

export interface ConfigProblem extends FileProblem {
  /** A warning does not keep the configuration from being used. */
  severity: "error" | "warning";
  file: string;
}

/**
 * Reads a configuration. CONFIG_INVALID, with all problems and their places in its data (see fileInvalid); warnings are in the
 * result. Files that it names are read through the options.
 */
export async function readConfig(text: string, options: ReadConfigOptions): Promise<RepriseConfig> {
  const { config, problems } = await examine(text, options);
  if (problems.length > 0 || config === null) throw configInvalid(options.fileName, problems);
  return config;
}

/** Everything there is to say about a configuration, in the order of the file; empty: it is sound. */
export async function configProblems(text: string, options: ReadConfigOptions): Promise<ConfigProblem[]> {
  const { problems, warnings } = await examine(text, options);
  const told = (severity: "error" | "warning") => (problem: FileProblem) => ({
    ...problem,
    severity,
    file: printable(problem.file ?? options.fileName),
    message: printable(problem.message),
  });
  const [errors, notices] = [problems.map(told("error")), warnings.map(told("warning"))];
  // with mistakes, what only looks odd may come from them
  const found = errors.length > 0 ? errors : notices;
  const isHere = (problem: ConfigProblem) => problem.file === options.fileName;
  return [...inFileOrder(found.filter(isHere)), ...inFileOrder(found.filter((problem) => !isHere(problem)))];
}

interface Examined {
  config: RepriseConfig | null;
  problems: FileProblem[];
  warnings: FileProblem[];
}

async function examine(text: string, options: ReadConfigOptions): Promise<Examined> {
  const { documents, problems } = await readYamlDocuments(text, { textKeys: TEXT_KEYS });
  const only = (found: FileProblem[]): Examined => ({ config: null, problems: found, warnings: [] });
  if (problems.length > 0) return only(problems);
  const [document] = documents;
  const top = { line: 1, column: 1, path: "" };
  if (document === undefined) return only([{ ...top, message: "the file is empty: there is no configuration in it" }]);
  if (documents.length > 1)
    return only([{ ...top, message: "the file has several documents (---); a configuration is one" }]);
  return await readDocument(document, text, options);
}

async function readDocument(document: YamlDocument, text: string, options: ReadConfigOptions): Promise<Examined> {
  const placeOf: YamlDocument["placeOf"] = (path, part) => document.placeOf(path, part);
  const problems = new ProblemList(placeOf);
  const warnings = new ProblemList(placeOf);
  const elsewhere: FileProblem[] = [];
  const complaints = await configSchema.complaints(document.value);
  addSchemaProblems(complaints, configSchema.schema, problems);
  if (complaints.length > 0) return { config: null, problems: problems.problems, warnings: [] };
  const raw = document.value as unknown as RawConfig;
  const config = await build(raw, { problems, warnings, elsewhere, text, options });
  const found = [...problems.problems, ...elsewhere];
  if (found.length === 0) {
    lookAcross(config, options.nowMs ?? Date.now(), { problems, warnings });
    await lookAtKeys(config, options, { problems, warnings });
  }
  const all = [...problems.problems, ...elsewhere];
  return { config: { ...config, warnings: warnings.problems }, problems: all, warnings: warnings.problems };
}

interface Task {
  problems: ProblemList;
  warnings: ProblemList;
  elsewhere: FileProblem[];
  text: string;
  options: ReadConfigOptions;
}

/** With problems, what it returns is of no use. */
async function build(raw: RawConfig, { problems, warnings, elsewhere, text, options }: Task): Promise<RepriseConfig> {
  const building = { problems, warnings };
  const timeZone = raw["time-zone"] ?? "UTC";
  checkTimeZone(raw["time-zone"], "/time-zone", building);
  const { fileName } = options;
  const repositories = buildRepositories(raw, building);
  const machines = buildMachines(raw, building);
  const notifications = buildNotifications(raw, building);
  const broken: string[] = [];
  const tests = { ...building, fileName, files: options, elsewhere, broken };
  const restoreTests = await readTests(raw["restore-tests"] ?? [], tests);
  const names = {
    repositories: repositories.map(({ name }) => name),
    machines: machines.map(({ machine }) => machine),
  };
  const world = {
    ...names,
    withSources: machines.filter(hasSources).map(({ machine }) => machine),
    tests: [...restoreTests.map(({ name }) => name), ...broken],
    notifications: Object.keys(raw.notifications ?? {}),
    timeZone,
  };
  return {
    fileName,
    digest: bytesToHex(sha256(new TextEncoder().encode(text))),
    timeZone,
    repositories,
    machines,
    jobs: buildJobs(raw, world, building),
    restoreTests,
    gates: buildGates(raw, { ...names, repositories, tests: restoreTests }, building),
    notifications,
    evidence: buildEvidence(raw, building),
    warnings: [],
  };
}

/** A private key beside a gate is a leak; one that is not there keeps the gate shut. */
async function lookAtKeys(
  config: RepriseConfig,
  { readFile }: ReadConfigOptions,
  { problems, warnings }: { problems: ProblemList; warnings: ProblemList },
): Promise<void> {
  for (const { name, keys } of config.gates) {
    for (const path of keys) {
      const bytes = await readFile(path).catch((error: { name?: unknown }) => {
        if (error.name === "AbortError") throw error;
        return null;
      });
      const pem = bytes === null ? "" : new TextDecoder().decode(bytes.subarray(0, 16_384));
      if (bytes === null)
        warnings.addAtKey(`/gates/${name}/keys`, `the key ${path} cannot be read: this gate stays shut`);
      else if (pem.includes("PRIVATE KEY"))
        problems.addAtKey(`/gates/${name}/keys`, `${path} is a private key: a gate needs the public one`);
      else if (!pem.includes("BEGIN PUBLIC KEY"))
        warnings.addAtKey(`/gates/${name}/keys`, `${path} is no public key in PEM: this gate stays shut`);
    }
  }
}
