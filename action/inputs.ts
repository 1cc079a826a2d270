// All inputs, read once into one typed value. Every mistake is found and told together; a secret among the inputs is a mistake, too.
// action.yml describes them (a test compares); docs/action.md explains them.

import { REPORT_COMMANDS } from "../core/index.js";
import { type GivenInputs, INPUT_DEFAULTS, type InputMistake, type InputName, InputReader } from "./inputReader.js";

/** Every command that makes a report, and the one that merges reports. */
export const COMMANDS = [...REPORT_COMMANDS, "report"] as const;
export type Command = (typeof COMMANDS)[number];

const FAIL_ON = ["warned", "inconclusive", "failed", "never"] as const;
export type FailOn = (typeof FAIL_ON)[number];

/** `head` lets a change rewrite the gate that it has to pass. */
const POLICY_FROM = ["base", "head"] as const;
export type PolicyFrom = (typeof POLICY_FROM)[number];

const LOG_LEVELS = ["quiet", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Inputs {
  command: Command;
  config: string;
  jobs: readonly string[];
  machines: readonly string[];
  tests: readonly string[];
  /** Of the configuration; empty: not named. */
  repository: string;
  /** What stands for a configuration file; null: there is one. */
  withoutConfig: WithoutConfig | null;
  gate: string;
  base: string;
  head: string;
  policyFrom: PolicyFrom;
  due: boolean;
  reports: string;
  dryRun: boolean;
  failOn: FailOn;
  /** Null: when there is a signing key and the configuration says so. */
  publish: boolean | null;
  reportFolder: string;
  summary: boolean;
  logLevel: LogLevel;
  trustKeeper: string;
  installTools: boolean;
}

export interface WithoutConfig {
  location: string;
  disks: readonly string[];
  folders: readonly string[];
  specs: readonly string[];
  keep: readonly string[];
}

/** Which commands an input is for; others have it at its default. */
const ONLY_FOR: Partial<Record<InputName, readonly Command[]>> = {
  test: ["restore-test"],
  disk: ["backup"],
  folder: ["backup"],
  spec: ["restore-test"],
  keep: ["prune"],
  gate: ["gate"],
  base: ["gate"],
  head: ["gate"],
  "policy-from": ["gate"],
  due: ["plan"],
  reports: ["report"],
  job: ["backup", "verify", "restore-test", "prune", "sync", "run", "plan"],
  machine: ["backup", "verify", "restore-test", "prune", "sync", "run", "plan", "status"],
  repository: ["backup", "verify", "restore-test", "prune", "status"],
  "trust-keeper": ["backup", "verify", "restore-test", "prune", "sync", "run", "plan", "status"],
};
const WITHOUT_CONFIG: readonly Command[] = ["backup", "verify", "restore-test", "prune", "status"];

/** The inputs, or everything that is wrong with them, and where a report of that goes. */
export function readInputs(
  given: GivenInputs,
): { inputs: Inputs } | { mistakes: InputMistake[]; reportFolder: string } {
  const reader = new InputReader(given);
  const command = reader.choice("command", COMMANDS);
  const repository = reader.line("repository");
  const inputs: Inputs = {
    command,
    config: reader.line("config"),
    jobs: reader.list("job"),
    machines: reader.list("machine"),
    tests: reader.list("test"),
    repository: isLocation(repository) ? "" : repository,
    withoutConfig: isLocation(repository)
      ? {
          location: repository,
          disks: reader.lines("disk"),
          folders: reader.lines("folder"),
          specs: reader.lines("spec"),
          keep: reader.list("keep"),
        }
      : null,
    gate: reader.line("gate"),
    base: reader.line("base"),
    head: reader.line("head"),
    policyFrom: reader.choice("policy-from", POLICY_FROM),
    due: reader.boolean("due"),
    reports: reader.line("reports"),
    dryRun: reader.boolean("dry-run"),
    failOn: reader.choice("fail-on", FAIL_ON),
    publish:
      reader.choice("publish-evidence", ["auto", "true", "false"]) === "auto"
        ? null
        : reader.isTrue("publish-evidence"),
    reportFolder: reader.line("report-folder"),
    summary: reader.boolean("summary"),
    logLevel: reader.choice("log-level", LOG_LEVELS),
    trustKeeper: reader.line("trust-keeper"),
    installTools: reader.boolean("install-tools"),
  };
  if (COMMANDS.includes(command)) checkTogether(reader, inputs);
  if (reader.mistakes.length === 0) return { inputs };
  return { mistakes: reader.mistakes, reportFolder: inputs.reportFolder };
}

/** A name of a repository has neither slash nor colon. */
function isLocation(text: string): boolean {
  return /[/:\\]/.test(text) || text === ".";
}

function checkTogether(reader: InputReader, inputs: Inputs): void {
  const { command, withoutConfig } = inputs;
  for (const [name, commands] of Object.entries(ONLY_FOR) as [InputName, readonly Command[]][]) {
    if (reader.isGiven(name) && !commands.includes(command)) {
      reader.wrong(name, `means nothing for command: ${command}`, `remove it; it is for ${commands.join(", ")}`);
    }
  }
  if (command === "report" && inputs.reports === "") {
    reader.wrong("reports", "is needed for command: report", "name the folder into which the reports were downloaded");
  }
  if (command === "gate" && inputs.dryRun) {
    reader.wrong(
      "dry-run",
      "contradicts command: gate, which changes nothing",
      "use fail-on: never to see a verdict that blocks nobody",
    );
  }
  if (command === "restore-test" && inputs.jobs.length > 0 && inputs.tests.length > 0) {
    reader.wrong("test", "contradicts job, which says which tests there are", "give one of them");
  }
  if (withoutConfig === null) checkNothingWithoutConfig(reader);
  else checkWithoutConfig(reader, inputs, withoutConfig);
}

function checkNothingWithoutConfig(reader: InputReader): void {
  for (const name of ["disk", "folder", "spec", "keep"] as const) {
    if (!reader.isGiven(name)) continue;
    const hint = "give repository: a location, or write it into the configuration file";
    reader.wrong(name, "is for runs without a configuration file, and no location of a repository is given", hint);
  }
}

function checkWithoutConfig(reader: InputReader, inputs: Inputs, { disks, folders, specs, keep }: WithoutConfig): void {
  const { command, machines } = inputs;
  if (!WITHOUT_CONFIG.includes(command)) {
    const hint = "name a repository of the configuration file, or leave it out";
    reader.wrong("repository", `command: ${command} needs a configuration file, not a location`, hint);
    return;
  }
  for (const name of ["job", "test"] as const) {
    if (reader.isGiven(name)) {
      reader.wrong(
        name,
        "is a name of the configuration file, which a location in repository replaces",
        "give one of them",
      );
    }
  }
  if (reader.isGiven("config") && inputs.config !== INPUT_DEFAULTS.config) {
    reader.wrong("config", "contradicts the location in repository", "give one of them");
  }
  if (command === "backup" && machines.length !== 1) {
    reader.wrong("machine", "is needed for a backup without a configuration file, exactly one", "as in vm/web1");
  }
  if (command === "backup" && disks.length + folders.length === 0) {
    reader.wrong(
      "disk",
      "is needed for a backup without a configuration file, or folder",
      "as in /var/lib/images/web1.qcow2",
    );
  }
  if (command === "restore-test" && specs.length === 0) {
    reader.wrong("spec", "is needed for a restore test without a configuration file", "name the file with the spec");
  }
  if (command === "prune" && keep.length === 0) {
    reader.wrong("keep", "is needed to prune without a configuration file", "as in daily=14, monthly=12");
  }
}
