// A configuration as it was understood: for programs, and in tables.

import {
  formatSecretReference,
  formatSpan,
  type GateRule,
  type JobConfig,
  type MachineConfig,
  type RepriseConfig,
  type SecretReference,
} from "../../core/index.js";
import { tableLines } from "./table.js";
import type { Line } from "./text.js";
import { zoneTimeText } from "./zoneTime.js";

export interface ShownSchedule {
  words: string;
  /** Milliseconds since 1970, the next ones. */
  runs: readonly number[];
}

/** By the names of jobs. */
type Schedules = ReadonlyMap<string, ShownSchedule>;

/** Plain values: schedules as text with their next runs, secrets as they are named, patterns as they were written. */
export function configDocument(config: RepriseConfig, schedules: Schedules): unknown {
  const jobs = config.jobs.map((job) => {
    const shown = schedules.get(job.name);
    const schedule =
      shown === undefined
        ? null
        : { text: job.schedule!.text, words: shown.words, next: shown.runs.map((run) => new Date(run).toISOString()) };
    return { ...job, schedule };
  });
  return plain({ ...config, jobs });
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (isPattern(value)) return value.source;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isReference(member) ? formatSecretReference(member) : plain(member),
    ]),
  );
}

/** A compiled one: no plain object. */
function isPattern(value: object): value is { source: string } {
  return Object.getPrototypeOf(value) !== Object.prototype && "source" in value && typeof value.source === "string";
}

function isReference(value: unknown): value is SecretReference {
  const { kind, name, path } = (value ?? {}) as Partial<Record<string, unknown>>;
  return (kind === "env" && typeof name === "string") || (kind === "file" && typeof path === "string");
}

export function configLines(config: RepriseConfig, schedules: Schedules): Line[] {
  const sections = [
    repositoryTable(config),
    table(["MACHINE", "READS", "OWNER", "CRITICALITY"], config.machines.map(machineRow)),
    table(
      ["JOB", "DOES", "REPOSITORY", "WHEN", "NEXT RUN"],
      config.jobs.map((job) => jobRow(job, schedules.get(job.name))),
    ),
    table(
      ["RESTORE TEST", "MACHINES", "FROM"],
      config.restoreTests.map(({ name, spec, fileName, line }) => [
        name,
        spec.machines.map(({ machine, level }) => `${machine} (${level})`).join(", "),
        `${fileName}:${line}`,
      ]),
    ),
    table(
      ["GATE", "PATHS", "NEEDS"],
      config.gates.flatMap(({ name, rules }) => rules.map((rule) => [name, rule.paths.join(" "), needsOf(rule)])),
    ),
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines, i) => (i === 0 ? lines : ["", ...lines]));
}

function table(titles: readonly string[], rows: readonly (readonly Line[])[]): Line[] {
  if (rows.length === 0) return [];
  return tableLines(
    titles.map((title) => ({ title })),
    rows,
  );
}

function repositoryTable({ repositories }: RepriseConfig): Line[] {
  const rows = repositories.map(({ name, location, id, passphrase }) => [
    name,
    location.kind === "text" ? location.text : `env:${location.name}`,
    id ?? "any",
    passphrase === null ? "REPRISE_PASSPHRASE …" : formatSecretReference(passphrase),
  ]);
  return table(["REPOSITORY", "LOCATION", "ID", "PASSPHRASE"], rows);
}

function machineRow({ machine, disks, folders, configFiles, owner, criticality }: MachineConfig): Line[] {
  const reads = [...disks, ...folders, ...configFiles].map(({ path }) => path);
  return [machine, reads.length === 0 ? "nothing here" : reads.join(" "), owner, criticality];
}

function jobRow(job: JobConfig, schedule: ShownSchedule | undefined): Line[] {
  const [next] = schedule?.runs ?? [];
  return [
    job.name,
    doesOf(job),
    job.repository,
    schedule === undefined ? "when it is named" : `${schedule.words}, ${job.timeZone}`,
    next === undefined ? "" : zoneTimeText(next, job.timeZone),
  ];
}

function doesOf(job: JobConfig): string {
  if (job.command === "restore-test") return `restore-test ${job.tests.join(" ") || "all"}`;
  const machines = job.machines.join(" ") || "all";
  return job.command === "sync" ? `sync ${machines} from ${job.from}` : `${job.command} ${machines}`;
}

function needsOf({ machines, requirement }: GateRule): string {
  if (machines.length === 0) return "nothing";
  const { level, maxBackupAgeMs, maxTestAgeMs, proof, rtoMs, checks } = requirement;
  const parts = [
    `${machines.join(", ")}: ${level}`,
    `backup at most ${formatSpan(maxBackupAgeMs)} old`,
    `${proof === "newest" ? "the newest snapshot " : ""}proven within ${formatSpan(maxTestAgeMs)}`,
    ...(rtoMs === null ? [] : [`in at most ${formatSpan(rtoMs)}`]),
    ...(checks.length === 0 ? [] : [`checks ${checks.join(", ")}`]),
  ];
  return parts.join("; ");
}
