// One machine of a spec: its own fields over those given below spec, over the defaults.

import { FieldReader } from "../../yaml/fieldReader.js";
import type { ProblemList } from "../../yaml/problems.js";
import { buildCheck } from "./buildCheck.js";
import { LEVEL_OF_CHECK, SERVING_CHECKS } from "./checkLevels.js";
import type { RawCheck, RawMachine, RawSpec } from "./rawSpec.js";
import type { CheckSpec, HardwareSpec, MachineTest, SnapshotChoice, TestLevel } from "./restoreTestSpec.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1024 * 1024;

const TIMEOUT_LIMITS = { minMs: SECOND, maxMs: 7 * DAY };
const OBJECTIVE_LIMITS = { minMs: SECOND, maxMs: 3660 * DAY };
const DEFAULT_TIMEOUTS = { restore: HOUR, boot: 5 * MINUTE, agent: 2 * MINUTE, application: 5 * MINUTE };
const MEMORY_LIMITS_MIB = { min: 16, max: 4 * 1024 * 1024 };

/** Where the parts of a machine stand in the file. */
export interface MachineSource {
  raw: RawMachine;
  /** Of the machine itself; the same as specPath when there is only one. */
  path: string;
  spec: RawSpec;
  specPath: string;
}

export function buildMachine(source: MachineSource, problems: ProblemList): MachineTest {
  const { raw, spec } = source;
  const checks = buildChecks(source, problems);
  return {
    machine: raw.machine,
    dependsOn: raw["depends-on"] ?? [],
    snapshot: snapshotChoice(raw.snapshot ?? spec.snapshot ?? "latest"),
    level: raw.level ?? spec.level ?? defaultLevel(raw.machine, checks),
    via: raw.via ?? spec.via ?? "instant",
    hardware: hardware(source, problems),
    timeouts: {
      restoreMs: timeout("restore", source, problems),
      bootMs: timeout("boot", source, problems),
      agentMs: timeout("agent", source, problems),
      applicationMs: timeout("application", source, problems),
    },
    objectives: {
      rtoMs: inSection("objectives", "rto", source, problems).span("rto", OBJECTIVE_LIMITS),
      rpoMs: inSection("objectives", "rpo", source, problems).span("rpo", OBJECTIVE_LIMITS),
    },
    ready: ready(source, problems),
    checks,
  };
}

export function snapshotChoice(name: string): SnapshotChoice {
  if (name === "latest" || name === "oldest" || name === "random" || name === "rolling") return { kind: name };
  return { kind: "named", name };
}

/** What the checks prove; of a virtual machine at least that it starts. */
function defaultLevel(machine: string, checks: readonly CheckSpec[]): TestLevel {
  const running = checks.filter(({ type }) => LEVEL_OF_CHECK[type] === "boots");
  if (running.some(({ type, severity }) => SERVING_CHECKS.has(type) && severity === "fail")) return "serves";
  return running.length > 0 || /^(?:[^:]*:)?vm\//.test(machine) ? "boots" : "readable";
}

type Section = "hardware" | "timeouts" | "objectives";

/** The object that says something about a field: the machine's own, else the spec's. */
function inSection(section: Section, field: string, source: MachineSource, problems: ProblemList): FieldReader {
  const own = source.raw[section] as Record<string, unknown> | undefined;
  if (own?.[field] !== undefined) return new FieldReader(own, `${source.path}/${section}`, problems);
  return new FieldReader(source.spec[section] ?? {}, `${source.specPath}/${section}`, problems);
}

function timeout(name: keyof typeof DEFAULT_TIMEOUTS, source: MachineSource, problems: ProblemList): number {
  return inSection("timeouts", name, source, problems).span(name, TIMEOUT_LIMITS) ?? DEFAULT_TIMEOUTS[name];
}

function hardware(source: MachineSource, problems: ProblemList): HardwareSpec {
  const field = <T>(name: string): T | null => inSection("hardware", name, source, problems).get<T>(name);
  return {
    memoryMiB: memory(inSection("hardware", "memory", source, problems)),
    cpus: field("cpus"),
    machineType: field("machine-type"),
    firmware: field("firmware"),
    secureBoot: field("secure-boot"),
    tpm: field("tpm"),
    diskBus: field("disk-bus"),
    nicModel: field("nic-model"),
    accelerator: field<HardwareSpec["accelerator"]>("accelerator") ?? "auto",
  };
}

function memory(reader: FieldReader): number | null {
  const bytes = reader.size("memory");
  if (bytes === null) return null;
  const { min, max } = MEMORY_LIMITS_MIB;
  if (bytes % MIB === 0 && bytes >= min * MIB && bytes <= max * MIB) return bytes / MIB;
  const given = reader.get<string | number>("memory");
  const hint = typeof given === "number" && given >= min && given <= max ? `; did you mean ${given}MiB?` : "";
  reader.problem(
    "memory",
    `memory: ${JSON.stringify(given)} must be whole MiB, ${min}MiB to ${max / 2 ** 20}TiB${hint}`,
  );
  return min;
}

function ready(source: MachineSource, problems: ProblemList): MachineTest["ready"] {
  const path = source.raw.ready === undefined ? source.specPath : source.path;
  const given = source.raw.ready ?? source.spec.ready ?? {};
  const reader = new FieldReader(given, `${path}/ready`, problems);
  return { serial: reader.pattern("serial"), agent: given.agent ?? false, port: given.port ?? null };
}

interface PlacedCheck {
  raw: string | RawCheck;
  path: string;
}

/** The spec's checks, then the machine's own; one of the machine's takes the place of the spec's with the same id. */
function buildChecks({ raw, path, spec, specPath }: MachineSource, problems: ProblemList): CheckSpec[] {
  const placed = (checks: readonly (string | RawCheck)[] | undefined, at: string): PlacedCheck[] =>
    (checks ?? []).map((check, i) => ({ raw: check, path: `${at}/checks/${i}` }));
  const own = path === specPath ? [] : placed(raw.checks, path);
  const ownIds = new Set(own.map(givenId));
  const shared = placed(spec.checks, specPath).filter(
    (check) => givenId(check) === null || !ownIds.has(givenId(check)),
  );
  refuseSameIds(own, problems);
  refuseSameIds(placed(spec.checks, specPath), problems);
  const all = [...shared, ...own];
  const taken = new Set(all.map(givenId));
  return all.map((check) => {
    const id = givenId(check) ?? freeId(typeof check.raw === "string" ? check.raw : check.raw.type, taken);
    taken.add(id);
    return buildCheck(check.raw, check.path, id, problems);
  });
}

function givenId({ raw }: PlacedCheck): string | null {
  return typeof raw === "string" ? null : (raw.id ?? null);
}

function freeId(type: string, taken: ReadonlySet<string | null>): string {
  if (!taken.has(type)) return type;
  for (let number = 2; ; number++) if (!taken.has(`${type}-${number}`)) return `${type}-${number}`;
}

function refuseSameIds(checks: readonly PlacedCheck[], problems: ProblemList): void {
  const seen = new Set<string>();
  for (const check of checks) {
    const id = givenId(check);
    if (id !== null && seen.has(id)) problems.add(`${check.path}/id`, `two checks have the id "${id}"`);
    if (id !== null) seen.add(id);
  }
}
