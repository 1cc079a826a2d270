// Where two commits part, also in a shallow clone: history is fetched step by step until the answer is the one that the whole history
// would give. A common ancestor alone is not enough: behind a cut there may be a better one, and a change could hide in between.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { RepriseError } from "../errors.js";
import { gitError, saidBy } from "./gitErrors.js";
import { askGit, runGit, runGitChecked } from "./gitProcess.js";
import { fetchFrom } from "./gitRemote.js";
import type { GitRepository } from "./gitRepository.js";

export interface HistoryOptions {
  /** Where missing history comes from: a remote's name or an address; null: nothing is fetched. */
  remote: string | null;
  signal?: AbortSignal;
}

/** Commits fetched behind the cut in each step; then everything. */
const STEPS = [64, 256, 1024, 4096];
const MAX_MERGE_BASES = 16;
const MAX_COMMITS_BYTES = 128 * 1024 * 1024;

/** The best common ancestors, at least one; two or more after merges in both directions. CHANGES_UNKNOWN. */
export async function commonHistory(
  repository: GitRepository,
  base: string,
  head: string,
  options: HistoryOptions,
): Promise<string[]> {
  let lastFailure = options.remote === null ? "no remote is named" : "";
  for (const step of [0, ...STEPS, null]) {
    if (step !== 0) {
      const failure = await deepen(repository, [base, head], step, options);
      if (failure !== null) lastFailure = failure;
    }
    const bases = await mergeBases(repository, base, head, options.signal);
    const cuts = await cutCommits(repository, options.signal);
    if (bases.length > 0 && (await isExact(repository, [base, head], bases, cuts, options.signal))) return bases;
    if (cuts.size === 0) break;
    if (lastFailure !== "") {
      throw unknown(base, head, `the history here is cut off, and more of it could not be fetched: ${lastFailure}`);
    }
  }
  throw unknown(base, head, "they have no commit in common");
}

export function changesUnknown(message: string, data: Record<string, unknown> = {}): RepriseError {
  return new RepriseError("unsupported", "CHANGES_UNKNOWN", `it is not known which files have changed: ${message}`, {
    data,
    hint: "check out with the whole history (fetch-depth: 0), and name base and head of the change",
  });
}

async function mergeBases(
  { folder }: GitRepository,
  base: string,
  head: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const answer = await runGit(folder, ["merge-base", "--all", "--end-of-options", base, head], { signal });
  if (answer.exitCode > 1) throw gitError({ command: "merge-base", folder, ...answer });
  const bases = linesOf(answer.stdout);
  if (bases.length > MAX_MERGE_BASES) throw unknown(base, head, `they have ${bases.length} merge bases`);
  return bases;
}

/** Commits whose parents are left out here; empty: the history is whole. */
async function cutCommits({ folder }: GitRepository, signal: AbortSignal | undefined): Promise<Set<string>> {
  if ((await askGit(folder, ["rev-parse", "--is-shallow-repository"], { signal })) !== "true") return new Set();
  const path = resolve(folder, await askGit(folder, ["rev-parse", "--git-path", "shallow"], { signal }));
  return new Set(linesOf(await readFile(path)));
}

/** Whether no cut lies on a way from the tips to the common ancestors: then nothing better can be behind one. */
async function isExact(
  { folder }: GitRepository,
  tips: readonly string[],
  bases: readonly string[],
  cuts: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (cuts.size === 0) return true;
  const args = ["rev-list", "--end-of-options", ...tips, ...bases.map((id) => `^${id}`)];
  const between = linesOf(await runGitChecked(folder, args, { signal, maxOutputBytes: MAX_COMMITS_BYTES }));
  return !between.some((commit) => cuts.has(commit));
}

/** Null: fetched; else what git said. `step` null: everything. */
async function deepen(
  repository: GitRepository,
  tips: readonly string[],
  step: number | null,
  { remote, signal }: HistoryOptions,
): Promise<string | null> {
  if (remote === null) return "no remote is named";
  const depth = step === null ? "--unshallow" : `--deepen=${step}`;
  const options = [depth, "--no-write-fetch-head", "--refmap="];
  let failure = await fetchFrom(repository, remote, options, tips, signal);
  // servers before protocol 2 give out the tips of branches only
  if (failure !== null && /not our ref|unadvertised object/i.test(failure))
    failure = await fetchFrom(repository, remote, [depth, "--no-write-fetch-head"], [], signal);
  return failure === null ? null : saidBy(failure);
}

function linesOf(bytes: Uint8Array): string[] {
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .filter((line) => line !== "");
}

function unknown(base: string, head: string, what: string): RepriseError {
  return changesUnknown(`${base.slice(0, 12)} and ${head.slice(0, 12)}: ${what}`, { base, head });
}
