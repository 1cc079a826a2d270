// A gate from beginning to end: what changed, the policy and keys of the base commit, what is known of the machines, the decision, its
// report and its statement. Whatever cannot be read of git or of the policy is an error, and everything after that a reason.

import { ConfiguredRepositories, locationOf } from "../config/openConfigured.js";
import type { RepositoryConfig, RepriseConfig } from "../config/repriseConfig.js";
import { isAbort, isOurError } from "../errors.js";
import type { GateFacts, GateReasonCode } from "../evidence/gateFacts.js";
import { SigningKey } from "../evidence/signingKey.js";
import { readEvidenceBranch } from "../evidenceBranch/readEvidenceBranch.js";
import { type ChangedFiles, type ChangeRange, changedFiles, presentCommit } from "../git/changedFiles.js";
import { listTree } from "../git/gitObjects.js";
import { type GitRepository, isNoCommit, openGitRepository, resolveCommit } from "../git/gitRepository.js";
import type { JobReport } from "../jobReport/jobReport.js";
import { shortLine } from "../report/inertText.js";
import type { GivenSecret } from "../repository/keys.js";
import type { Environment } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { decideGate, type GateVerdict } from "./decideGate.js";
import type { OverrideRequest } from "./gateOverride.js";
import { type GatePolicy, pathInRepository, policyMissing, readGatePolicy } from "./gatePolicy.js";
import { gateReport } from "./gateReport.js";
import { gateStatements } from "./gateStatement.js";
import { gateFactsFromRepository } from "./repositoryFacts.js";
import { allRequired, compileRules, pathOf, requiredMachines, unmatchedPatterns } from "./requiredMachines.js";
import { isInWorkTree } from "./workTreeLocation.js";

export interface GateRequest {
  /** In the git repository. */
  folder: string;
  /** Of reprise.yml, relative to `folder`; it is read from a commit. */
  configPath: string;
  /** Null: the only one that there is. */
  gate: string | null;
  range: ChangeRange;
  /** What a new branch is compared with; null: with nothing. */
  defaultBranch: string | null;
  /** `head` lets a change rewrite the gate that it has to pass. */
  policyFrom: "base" | "head";
  override: OverrideRequest;
  /** Where the run can be looked at. */
  url: string | null;
}

export interface GateOptions {
  /** Where missing commits come from: a remote's name or an address; null: nowhere. */
  remote: string | null;
  env: Readonly<Record<string, string | undefined>>;
  environment: Environment;
  /** They sign the statement; none: it is left unsigned. */
  signingKeys: readonly SigningKey[];
  /**
   * What opens a repository at a place, when somebody who may be asked knows it; null: what the configuration and the environment say.
   * The location is as the policy and the environment have it.
   */
  secretFor?: (location: string) => Promise<GivenSecret | null>;
  /** The configuration of the policy, before anything that it names is opened: for whoever has to hide what it names. */
  onPolicy?: (config: RepriseConfig) => void;
  /** As openConfiguredRepository has them. */
  cacheFolder?: string | null;
  stateFolder?: string | null;
  signal: AbortSignal;
  onWarning: OnWarning;
}

export interface GateRun {
  report: JobReport;
  /** One line of JSON each: envelopes, or bare statements without a key. Empty: the commit is not known. */
  statements: readonly string[];
  isSigned: boolean;
}

interface Changes {
  found: ChangedFiles | null;
  problem: string | null;
  /** Null: not even that is known. */
  head: string | null;
}

/**
 * Answers also when the gate is shut. GIT_*, CHANGES_UNKNOWN (not even the base), GATE_POLICY_MISSING, GATE_UNKNOWN, CONFIG_INVALID: it could
 * not be decided, and whoever calls keeps the gate shut.
 */
export async function runGate(request: GateRequest, options: GateOptions): Promise<GateRun> {
  const startedMs = options.environment.now();
  const { signal } = options;
  const git = await openGitRepository(request.folder, { signal });
  const changes = await readChanges(git, request, options);
  const commit = await policyCommit(git, request, changes, options);
  const path = await pathInRepository(git, request.folder, request.configPath);
  const nowMs = options.environment.now();
  const policy = await readGatePolicy({ repository: git, commit, path }, request.gate, { nowMs, signal });
  options.onPolicy?.(policy.config);
  const known = await readFacts(git, policy, changes.found, options);
  const verdict = decide(request, policy, changes, known, options.environment.now());
  const { environment, signingKeys } = options;
  const report = gateReport({
    verdict,
    changesProblem: changes.problem,
    unmatched: await unmatched(git, policy, changes.found, signal),
    policyCommit: commit,
    repository: known.repository,
    tool: environment.tool,
    url: request.url,
    startedMs,
    finishedMs: environment.now(),
  });
  const envelopes = [...(known.facts?.machines.values() ?? [])].flatMap((machine) => machine.envelopes);
  const about = { ...verdict, envelopes, policyCommit: commit, tool: environment.tool, url: request.url, nowMs };
  return { report, statements: gateStatements(about, signingKeys), isSigned: signingKeys.length > 0 };
}

async function readChanges(git: GitRepository, request: GateRequest, options: GateOptions): Promise<Changes> {
  const { remote, signal } = options;
  try {
    const found = await changedFiles(git, request.range, { remote, signal, defaultBranch: request.defaultBranch });
    return { found, problem: null, head: found.head };
  } catch (error) {
    const isUnclear = isOurError(error, "CHANGES_UNKNOWN") || isOurError(error, "GIT_OUTPUT_TOO_LARGE");
    if (!isUnclear) throw error;
    const head = await resolveCommit(git, request.range.head, { signal });
    return { found: null, problem: shortLine(error.message, 600), head };
  }
}

async function policyCommit(
  git: GitRepository,
  { policyFrom, range, defaultBranch }: GateRequest,
  { found }: Changes,
  { remote, signal }: GateOptions,
): Promise<string> {
  if (policyFrom === "head") return found?.head ?? (await presentCommit(git, range.head, { remote, signal }));
  if (found?.base != null) return found.base;
  const base = range.base !== null && !isNoCommit(range.base) ? range.base : defaultBranch;
  if (base !== null) return await presentCommit(git, base, { remote, signal });
  throw policyMissing("there is no commit before this change to read it from");
}

interface Known {
  facts: GateFacts | null;
  repository: JobReport["repository"];
  /** Replaces the policy's keys, when the repository vouches for its own records. */
  vouch: SigningKey | null;
}

/** Nothing is read when no machine is asked for. */
async function readFacts(
  git: GitRepository,
  policy: GatePolicy,
  found: ChangedFiles | null,
  options: GateOptions,
): Promise<Known> {
  const { gate, config, keys } = policy;
  const { rules, problems } = compileRules(gate);
  const isUnclear = found === null || problems.length > 0;
  const required = isUnclear ? allRequired(rules) : requiredMachines(rules, found.files);
  const machines = [...new Set(required.map(({ machine }) => machine))];
  if (machines.length === 0) return { facts: null, repository: null, vouch: null };
  if (gate.source.kind === "repository")
    return await repositoryFacts(policy, gate.source.repository, machines, git, options);
  const place = { repository: git, remote: config.evidence.remote, branch: config.evidence.branch };
  const trust = { keys, nowMs: options.environment.now(), repositoryId: countedRepository(policy) };
  const facts = await readEvidenceBranch(place, trust, { signal: options.signal });
  return { facts, repository: null, vouch: null };
}

async function repositoryFacts(
  { config, gate, path }: GatePolicy,
  name: string,
  machines: readonly string[],
  git: GitRepository,
  options: GateOptions,
): Promise<Known> {
  const { signal, onWarning, env } = options;
  const vouch = gate.keys.length === 0 ? SigningKey.generate() : null;
  const folder = `${git.folder}/${path}`.replace(/\/[^/]*$/, "");
  const configured = config.repositories.find((each) => each.name === name);
  const repositories = new ConfiguredRepositories(config, {
    ...options,
    folder,
    secret: await givenSecret(configured, options, folder),
  });
  try {
    if (configured !== undefined && (await isInWorkTree(git, configured, { env, folder })))
      return { facts: nothingKnown("policy-invalid", inWorkTreeText(name)), vouch, repository: null };
    const repository = await repositories.open(name);
    const facts = await gateFactsFromRepository(repository, machines, { vouch, signal, onWarning });
    return {
      facts,
      vouch,
      repository: { name, location: repository.shownLocation, id: repository.config.repositoryId },
    };
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    signal.throwIfAborted();
    const message = shortLine(
      `the repository ${name} cannot be read: ${repositories.withoutLocations(error.message)}`,
      600,
    );
    return { facts: nothingKnown("repository-unreadable", message), vouch, repository: null };
  } finally {
    await repositories.close();
  }
}

/** Undefined: nobody knows one, or nothing says where the repository is. */
async function givenSecret(
  repository: RepositoryConfig | undefined,
  { secretFor, env }: GateOptions,
  folder: string,
): Promise<(() => Promise<GivenSecret>) | undefined> {
  if (repository === undefined || secretFor === undefined) return undefined;
  try {
    const secret = await secretFor(locationOf(repository, { env, folder }));
    return secret === null ? undefined : async () => secret;
  } catch (error) {
    // opening it says so, as a reason
    if (isOurError(error, "REPOSITORY_LOCATION_MISSING")) return undefined;
    throw error;
  }
}

/** Null: of any. One that is named has an id, or the configuration would be refused. */
function countedRepository({ gate: { source }, config }: GatePolicy): string | null {
  if (source.kind !== "branch" || source.repository === null) return null;
  return config.repositories.find(({ name }) => name === source.repository)?.id ?? null;
}

function inWorkTreeText(name: string): string {
  return `the repository ${shortLine(name, 100)} is inside of the work tree: a change could bring its own, and this gate would believe it`;
}

function nothingKnown(code: GateReasonCode, message: string): GateFacts {
  const problems = [{ code, message }];
  return {
    source: "repository",
    problems,
    machines: new Map(),
    machineProblems: new Map(),
    commit: null,
    sequence: null,
    publishedAtMs: null,
  };
}

function decide(
  { override }: GateRequest,
  { config, gate, keys, problems, path }: GatePolicy,
  changes: Changes,
  { facts, vouch }: Known,
  nowMs: number,
): GateVerdict {
  return decideGate({
    gate,
    policy: { fileName: path, digest: config.digest },
    head: changes.head,
    changes: changes.found,
    changesProblem: changes.problem,
    facts,
    problems,
    override,
    keys: vouch === null ? keys : [vouch.verificationKey],
    specDigests: new Map(config.restoreTests.map(({ name, specDigest }) => [name, specDigest])),
    nowMs,
  });
}

/** Patterns that match no file of head: for a notice. A tree that is too large to be listed has none. */
async function unmatched(
  git: GitRepository,
  { gate }: GatePolicy,
  found: ChangedFiles | null,
  signal: AbortSignal,
): Promise<ReturnType<typeof unmatchedPatterns>> {
  if (found === null) return [];
  try {
    const entries = await listTree(git, found.head, { signal, withSizes: false });
    const files = entries.map(({ path, kind }) => pathOf({ path, kind: kind === "folder" ? "file" : kind }));
    const changed = found.files.map(pathOf);
    return unmatchedPatterns(compileRules(gate).rules, [...files, ...changed]);
  } catch (error) {
    if (!isOurError(error, "GIT_OUTPUT_TOO_LARGE")) throw error;
    return [];
  }
}
