// The configuration of a step: a file of the checkout, or what the inputs say instead of one. Either way core reads it as the text of a
// file, so that the same rules hold.

import { basename, join, resolve } from "node:path";
import {
  filesBeside,
  isOurError,
  type JobReport,
  loadConfig,
  locationInEnvironment,
  type RepriseConfig,
  RepriseError,
  readConfig,
  type SecretReference,
} from "../core/index.js";
import type { CommandStep } from "./commandStep.js";
import type { Inputs, WithoutConfig } from "./inputs.js";
import type { Runner } from "./runner.js";

/** Names in a configuration made of inputs. */
const ONLY = { repository: "repository", job: "step" };
/** In the place of the file's name. */
const NO_FILE = "inputs of this step";

/** Without places in a file that there is not. */
export function withoutInputPlaces(report: JobReport): JobReport {
  const problems = report.problems.map((problem) => {
    const isThere = problem.file === null || basename(problem.file) !== NO_FILE;
    return isThere ? problem : { ...problem, file: null, line: null, column: null };
  });
  return { ...report, problems };
}

/** CONFIG_INVALID, CONFIG_UNREADABLE. Values of secrets that it names are hidden from here on. */
export async function loadConfiguration({ runner, inputs, signal }: CommandStep): Promise<RepriseConfig> {
  const { withoutConfig } = inputs;
  const fileName = pathInWorkspace(runner, withoutConfig === null ? inputs.config : NO_FILE);
  const config =
    withoutConfig === null
      ? await loadFile(fileName, signal)
      : await readConfig(textOfInputs(inputs, withoutConfig), { fileName, ...filesBeside(fileName, signal) });
  hideConfigured(runner, config);
  for (const { message, line } of config.warnings) runner.log(`${fileName}:${line}: ${message}`);
  return withTrust(config, inputs.trustKeeper);
}

/** What a configuration names in the environment is a secret, whatever it is called. */
export function hideConfigured(runner: Pick<Runner, "env" | "hide">, config: RepriseConfig): void {
  for (const name of variablesOf(config, runner.env)) {
    const value = runner.env[name];
    if (value) runner.hide(value);
  }
}

/** As it is written when the step runs in the workspace, as it does on GitHub. */
function pathInWorkspace({ env }: Runner, path: string): string {
  const workspace = env.GITHUB_WORKSPACE;
  return workspace === undefined || resolve(workspace) === process.cwd() ? path : join(workspace, path);
}

async function loadFile(fileName: string, signal: AbortSignal): Promise<RepriseConfig> {
  try {
    return await loadConfig(fileName, signal);
  } catch (cause) {
    if (!isOurError(cause, "CONFIG_UNREADABLE")) throw cause;
    const hint = "check out the repository first (actions/checkout), and name the file in the input config";
    throw new RepriseError("usage", "CONFIG_UNREADABLE", cause.message, { cause, hint });
  }
}

/** JSON is YAML. */
function textOfInputs({ command, machines }: Inputs, { location, disks, folders, specs, keep }: WithoutConfig): string {
  const [machine = ""] = machines;
  const repositories = { [ONLY.repository]: { location } };
  const sources = { disks: disks.map(namedPath), folders: folders.map(namedPath) };
  const all = machines.length === 0 ? "all" : machines;
  const bodies: Partial<Record<Inputs["command"], object>> = {
    backup: { backup: machine },
    verify: { verify: "all", "read-data": true },
    "restore-test": { "restore-test": "all" },
    prune: { prune: all, retention: retentionOf(keep) },
  };
  return JSON.stringify(
    {
      repositories,
      machines: Object.fromEntries(machines.map((name) => [name, command === "backup" ? sources : {}])),
      ...(bodies[command] === undefined ? {} : { jobs: { [ONLY.job]: bodies[command] } }),
      ...(specs.length === 0 ? {} : { "restore-tests": specs.map((file) => ({ file })) }),
    },
    null,
    1,
  );
}

/** `NAME=PATH`, or a path that may have an equals sign itself. */
function namedPath(text: string): { name?: string; path: string } {
  const match = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(text);
  return match === null ? { path: text } : { name: match[1] as string, path: match[2] as string };
}

/** `daily=14`, `within=7d`, or with a colon. */
function retentionOf(keep: readonly string[]): Record<string, string | number> {
  const pairs = keep.map((rule) => rule.split(/[=:]/, 2).map((part) => part.trim()) as [string, string | undefined]);
  return Object.fromEntries(pairs.map(([name, value = ""]) => [name, /^\d{1,9}$/.test(value) ? Number(value) : value]));
}

/** Those that hold secrets by what they are for; and locations, which stand there because not everybody shall read them. */
function variablesOf({ repositories, notifications, evidence }: RepriseConfig, env: Runner["env"]): string[] {
  const references: (SecretReference | null)[] = [
    ...repositories.flatMap(({ passphrase, keeperKey }) => [passphrase, keeperKey]),
    ...notifications.map((each) => (each.kind === "webhook" ? each.url : each.password)),
    evidence.signingKey,
  ];
  const locations = repositories.flatMap((each) => locationInEnvironment(each, env) ?? []);
  return [...locations, ...references.flatMap((reference) => (reference?.kind === "env" ? reference.name : []))];
}

function withTrust(config: RepriseConfig, trustKeeper: string): RepriseConfig {
  if (trustKeeper === "") return config;
  return { ...config, repositories: config.repositories.map((each) => ({ ...each, trustKeeper })) };
}
