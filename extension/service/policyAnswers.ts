// What a reprise.yml or a file with restore-test specs says, as plain data: mistakes with their places, and what was understood.

import { dirname, isAbsolute, normalize, resolve } from "node:path";
import {
  type ConfigFiles,
  type ConfigProblem,
  type ConfiguredTest,
  configProblems,
  describeSchedule,
  type FileProblem,
  filesBeside,
  formatDuration,
  inertLine,
  isOurError,
  type JobConfig,
  type KeepOptions,
  locationOf,
  nextRun,
  type RepositoryConfig,
  type RepriseConfig,
  RepriseError,
  type RestoreTestSpec,
  readConfig,
  readPlacedSpecs,
} from "../../core/index.js";
import type {
  FileProblemData,
  KeepData,
  PolicyData,
  PolicyJobData,
  RestoreTestData,
  SpecData,
} from "./policyProtocol.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext } from "./session.js";
import { unmatchedInFolder } from "./unmatchedPatterns.js";

const NEXT_RUNS = 5;

export async function readPolicy(
  { path, text, trusted }: ArgumentOf<"readPolicy">,
  { signal }: Pick<CallContext, "signal">,
): Promise<PolicyData> {
  const { files, named } = noted(policyFiles(path, trusted, signal), dirname(path));
  const options = { fileName: path, ...files };
  const problems = (await configProblems(text, options)).map((problem) => problemData(problem, path));
  const nothing = { repositories: [], machines: [], jobs: [], restoreTests: [], gates: [], patterns: [] };
  if (problems.some(({ severity }) => severity === "error"))
    return { problems, sound: false, named: named(), ...nothing };
  const config = await readConfig(text, options);
  const folder = dirname(path);
  return {
    problems,
    sound: true,
    repositories: config.repositories.map((each) => {
      const variables = {
        passphraseVariable: variableOf(each.passphrase, "REPRISE_PASSPHRASE"),
        keeperKeyVariable: variableOf(each.keeperKey, "REPRISE_KEEPER_KEY"),
      };
      return { name: each.name, location: locationIn(each, folder), ...variables, line: each.line };
    }),
    machines: config.machines.map(({ machine, owner, line }) => ({ machine, owner, line })),
    jobs: config.jobs.map((job) => jobData(job, config)),
    restoreTests: config.restoreTests.map((test) => testData(test)),
    gates: config.gates.map(({ name, line }) => ({ name, line })),
    patterns: trusted ? await unmatchedInFolder(folder, config.gates, signal) : [],
    named: named(),
  };
}

/** The same files; `named` tells by their full paths which of them were asked for. */
function noted(files: ConfigFiles, folder: string): { files: ConfigFiles; named: () => PolicyData["named"] } {
  const asked = { files: new Set<string>(), folders: new Set<string>() };
  const { listFiles } = files;
  return {
    files: {
      readFile: (named) => {
        asked.files.add(resolve(folder, named));
        return files.readFile(named);
      },
      ...(listFiles && {
        listFiles: (named: string, depth?: number) => {
          asked.folders.add(resolve(folder, named));
          return listFiles(named, depth);
        },
      }),
    },
    named: () => ({ files: [...asked.files], folders: [...asked.folders] }),
  };
}

export async function readSpecs({ path, text }: ArgumentOf<"readSpecs">): Promise<SpecData> {
  try {
    const placed = await readPlacedSpecs(text, path);
    return { problems: [], restoreTests: placed.map(({ spec, line }) => specData(spec, path, line)) };
  } catch (error) {
    if (!isOurError(error, "SPEC_INVALID")) throw error;
    const found = (error.data.problems ?? []) as FileProblem[];
    return { problems: found.map((problem) => problemData({ ...problem, severity: "error" }, path)), restoreTests: [] };
  }
}

/** Files that the policy names. Of somebody else's folder nothing is read outside of it. */
export function policyFiles(path: string, trusted: boolean, signal: AbortSignal): ConfigFiles {
  const files = filesBeside(path, signal);
  if (trusted) return files;
  const isBelow = (named: string) => !isAbsolute(named) && !/^\.\.([/\\]|$)/.test(normalize(named));
  return {
    readFile: async (named) => {
      if (isBelow(named)) return await files.readFile(named);
      throw new RepriseError(
        "not-found",
        "FILE_NOT_FOUND",
        "files elsewhere are not read in a workspace without trust",
      );
    },
    listFiles: async (folder, depth) => (isBelow(folder) ? ((await files.listFiles?.(folder, depth)) ?? []) : []),
  };
}

function problemData(problem: Omit<ConfigProblem, "file"> & { file?: string }, path: string): FileProblemData {
  const { line, column, severity, message, file } = problem;
  const elsewhere = file === undefined || file === path ? null : file;
  return { line, column, severity, message: inertLine(message), file: elsewhere };
}

/** Null: a variable that is not set here says where it is. */
function locationIn(repository: RepositoryConfig, folder: string): string | null {
  try {
    return locationOf(repository, { env: process.env, folder });
  } catch (error) {
    if (isOurError(error)) return null;
    throw error;
  }
}

function variableOf(reference: RepositoryConfig["passphrase"], usual: string): string | null {
  if (reference === null) return usual;
  return reference.kind === "env" ? reference.name : null;
}

function jobData(job: JobConfig, { restoreTests }: RepriseConfig): PolicyJobData {
  const { name, command, repository, schedule, timeZone, line } = job;
  return {
    ...{ name, command, repository, line },
    machines: job.command === "restore-test" ? testedMachines(job.tests, restoreTests) : [...job.machines],
    schedule:
      schedule === null
        ? null
        : { text: schedule.text, words: describeSchedule(schedule), timeZone, nextRunsMs: runsOf(job) },
    keep: "retention" in job && job.retention !== null ? keepData(job.retention) : null,
  };
}

function testedMachines(names: readonly string[], tests: readonly ConfiguredTest[]): string[] {
  const wanted = tests.filter(({ name }) => names.length === 0 || names.includes(name));
  return [...new Set(wanted.flatMap(({ spec }) => spec.machines.map(({ machine }) => machine)))];
}

function runsOf({ schedule, timeZone }: JobConfig): number[] {
  const runs: number[] = [];
  for (let at: number | null = Date.now(); schedule !== null && runs.length < NEXT_RUNS; runs.push(at)) {
    at = nextRun(schedule, at, timeZone);
    if (at === null) break;
  }
  return runs;
}

function keepData({ within, ...counts }: KeepOptions): KeepData {
  return { counts, within: within === undefined ? null : formatDuration(within) };
}

function testData({ spec, fileName, line }: ConfiguredTest): RestoreTestData {
  return specData(spec, fileName, line);
}

function specData(spec: RestoreTestSpec, file: string, line: number): RestoreTestData {
  const machines = spec.machines.map(({ machine, level, checks }) => {
    return { machine, level, checks: checks.map(({ id, type, line }) => ({ id, type, line })) };
  });
  return { name: spec.name, description: spec.description, file, line, machines };
}
