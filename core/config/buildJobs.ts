// The jobs of a configuration: what each works on, and what belongs to its command.

import { openTimeZone } from "../calendar/localTime.js";
import { parseSchedule, type Schedule } from "../calendar/schedule.js";
import { isOurError } from "../errors.js";
import { FieldReader } from "../yaml/fieldReader.js";
import { type Building, checkName, entriesAt, type Known, membersAt, namedOnes } from "./building.js";
import { buildRetention } from "./buildRetention.js";
import type { RawConfig, RawJob } from "./rawConfig.js";
import { JOB_COMMANDS, type JobBody, type JobCommand, type JobConfig, type JobFrame } from "./repriseConfig.js";

/** What jobs may name. */
export interface JobWorld {
  repositories: readonly string[];
  machines: readonly string[];
  /** Those of which this file says what a backup reads. */
  withSources: readonly string[];
  tests: readonly string[];
  notifications: readonly string[];
  timeZone: string;
}

/** Which fields belong to one command only. */
const FIELDS_OF: Readonly<Record<JobCommand, readonly (keyof RawJob)[]>> = {
  backup: ["retention", "verify-after", "codec", "level"],
  verify: ["read-data", "outdated-after", "slices"],
  "restore-test": [],
  prune: ["retention", "gc"],
  sync: ["from", "transfer-last", "remove-vanished", "encrypted-only"],
};
const YEAR_MS = 366 * 86_400_000;
const DEFAULT_LEVEL = 3;

export function buildJobs({ jobs }: RawConfig, world: JobWorld, building: Building): JobConfig[] {
  const found: JobConfig[] = [];
  for (const { name, raw, at } of entriesAt(jobs, "/jobs")) {
    const command = commandOf(name, raw, at, building);
    if (command === null) continue;
    checkFields(raw, command, at, building);
    const frame = buildFrame(name, raw, at, { world, command }, building);
    found.push({ ...frame, ...buildBody(command, raw, at, { world, repository: frame.repository }, building) });
  }
  return found;
}

function commandOf(name: string, raw: RawJob, at: string, { problems }: Building): JobCommand | null {
  const given = JOB_COMMANDS.filter((command) => raw[command] !== undefined);
  if (given.length === 1) return given[0]!;
  const rule = `exactly one of ${JOB_COMMANDS.join(", ")}`;
  const found = given.length === 0 ? "it has none" : `it has ${given.join(" and ")}`;
  problems.addAtKey(given.length === 0 ? at : `${at}/${given[1]}`, `the job ${name} needs ${rule}; ${found}`);
  return null;
}

function checkFields(raw: RawJob, command: JobCommand, at: string, { problems }: Building): void {
  for (const field of Object.values(FIELDS_OF).flat()) {
    if (raw[field] === undefined || FIELDS_OF[command].includes(field)) continue;
    const owners = JOB_COMMANDS.filter((each) => FIELDS_OF[each].includes(field));
    problems.addAtKey(`${at}/${field}`, `${field} belongs to ${owners.join(" and ")} jobs; this one is ${command}`);
  }
}

/** `timeZone` of the file, or of a job; a problem when it is unknown. */
export function checkTimeZone(timeZone: string | undefined, at: string, { problems }: Building): void {
  if (timeZone === undefined) return;
  try {
    openTimeZone(timeZone);
  } catch (error) {
    if (!isOurError(error, "TIMEZONE_UNKNOWN")) throw error;
    problems.add(at, `${error.message}; ${error.hint ?? ""}`);
  }
}

function buildFrame(
  name: string,
  raw: RawJob,
  at: string,
  { world, command }: { world: JobWorld; command: JobCommand },
  building: Building,
): JobFrame {
  checkTimeZone(raw["time-zone"], `${at}/time-zone`, building);
  return {
    name,
    description: raw.description ?? "",
    repository: repositoryOf(raw, at, { world, command }, building),
    schedule: scheduleOf(raw.schedule, `${at}/schedule`, building),
    timeZone: raw["time-zone"] ?? world.timeZone,
    notify: buildNotify(raw.notify, `${at}/notify`, { what: "notification", names: world.notifications }, building),
    line: building.problems.lineOfKey(at),
  };
}

function repositoryOf(
  { repository }: RawJob,
  at: string,
  { world, command }: { world: JobWorld; command: JobCommand },
  building: Building,
): string {
  const known: Known = { what: "repository", names: world.repositories };
  if (repository !== undefined) {
    checkName(repository, known, `${at}/repository`, building);
    return repository;
  }
  const [only, ...others] = world.repositories;
  if (only !== undefined && others.length === 0) return only;
  const why =
    only === undefined
      ? "there is no repository in this file: name one below repositories"
      : `"repository" is missing: which one does this ${command} job ${command === "sync" ? "write to" : "work on"}? (${world.repositories.join(", ")})`;
  building.problems.addAtKey(at, why);
  return "";
}

function scheduleOf(text: string | undefined, at: string, { problems }: Building): Schedule | null {
  if (text === undefined) return null;
  try {
    return parseSchedule(text);
  } catch (error) {
    if (!isOurError(error, "SCHEDULE_INVALID")) throw error;
    problems.add(at, `schedule: ${error.message}`);
    return null;
  }
}

function buildNotify(given: RawJob["notify"], path: string, known: Known, building: Building): JobFrame["notify"] {
  if (given === undefined) return [];
  if (typeof given === "object" && !Array.isArray(given)) {
    return entriesAt(given, path).map(({ name, raw, at }) => {
      if (!known.names.includes(name)) checkName(name, known, at, building);
      return { name, on: raw };
    });
  }
  return membersAt(given, path).map(({ value, at }) => {
    checkName(value, known, at, building);
    return { name: value, on: "warned" as const };
  });
}

interface BodyWorld {
  world: JobWorld;
  repository: string;
}

function buildBody(command: JobCommand, raw: RawJob, at: string, around: BodyWorld, building: Building): JobBody {
  switch (command) {
    case "backup":
      return buildBackup(raw, at, around.world, building);
    case "verify":
      return buildVerify(raw, at, around.world, building);
    case "restore-test":
      return {
        command,
        tests: everyOne(
          raw[command]!,
          { what: "restore test", names: around.world.tests },
          `${at}/${command}`,
          building,
        ),
      };
    case "prune":
      return buildPrune(raw, at, around.world, building);
    case "sync":
      return buildSync(raw, at, around, building);
  }
}

/** Empty for `all`. */
function everyOne(given: string | string[], known: Known, path: string, building: Building): string[] {
  const names = namedOnes(given, { known, path }, building);
  return membersAt(given, path).some(({ value }) => value === "all") ? [] : names;
}

/** Empty for `all`: the whole repository, also what this file does not name. */
function machinesIn(
  command: "verify" | "prune" | "sync",
  raw: RawJob,
  at: string,
  world: JobWorld,
  building: Building,
): string[] {
  const given = raw[command]!;
  if (given === "all") return [];
  const known = { what: "machine", names: world.machines };
  return namedOnes(given, { known, path: `${at}/${command}` }, building);
}

function buildBackup(raw: RawJob, at: string, world: JobWorld, building: Building): JobBody {
  const path = `${at}/backup`;
  const known = { what: "machine", names: world.machines };
  const machines = namedOnes(raw.backup!, { known, path, all: world.withSources }, building);
  for (const { value, at: place } of membersAt(raw.backup, path)) {
    if (!world.machines.includes(value) || world.withSources.includes(value)) continue;
    building.problems.add(place, `${value} has nothing to back up: give it disks, folders or config-files`);
  }
  const codec = raw.codec ?? "zstd";
  if (raw.level !== undefined && codec !== "zstd")
    building.problems.add(`${at}/level`, `level is for zstd, not for ${codec}`);
  return {
    command: "backup",
    machines: machines.filter((machine) => world.withSources.includes(machine)),
    retention: raw.retention === undefined ? null : buildRetention(raw.retention, `${at}/retention`, building),
    verifyAfter: raw["verify-after"] ?? "none",
    codec: { codec, level: raw.level ?? DEFAULT_LEVEL },
  };
}

function buildVerify(raw: RawJob, at: string, world: JobWorld, building: Building): JobBody {
  const reader = new FieldReader(raw, at, building.problems);
  const readData = raw["read-data"] ?? false;
  if (raw.slices !== undefined && !readData) {
    building.problems.addAtKey(`${at}/slices`, "slices are parts of the data: they need read-data: true");
  }
  return {
    command: "verify",
    machines: machinesIn("verify", raw, at, world, building),
    readData,
    outdatedAfterMs: reader.span("outdated-after", { minMs: 60_000, maxMs: 10 * YEAR_MS }),
    slices: raw.slices ?? null,
  };
}

function buildPrune(raw: RawJob, at: string, world: JobWorld, building: Building): JobBody {
  if (raw.retention === undefined) {
    building.problems.addAtKey(at, `"retention" is missing: without a rule nothing says which snapshots are kept`);
  }
  return {
    command: "prune",
    machines: machinesIn("prune", raw, at, world, building),
    retention: raw.retention === undefined ? {} : buildRetention(raw.retention, `${at}/retention`, building),
    gc: raw.gc ?? true,
  };
}

function buildSync(raw: RawJob, at: string, { world, repository }: BodyWorld, building: Building): JobBody {
  if (raw.from === undefined) building.problems.addAtKey(at, `"from" is missing: which repository is read?`);
  else if (checkName(raw.from, { what: "repository", names: world.repositories }, `${at}/from`, building)) {
    if (raw.from === repository) building.problems.add(`${at}/from`, `${raw.from} would be copied to itself`);
  }
  return {
    command: "sync",
    from: raw.from ?? "",
    machines: machinesIn("sync", raw, at, world, building),
    transferLast: raw["transfer-last"] ?? null,
    removeVanished: raw["remove-vanished"] ?? false,
    encryptedOnly: raw["encrypted-only"] ?? false,
  };
}
