// The gates of a configuration: which changes need which machines to be proven, and by whom.

import type { TestLevel } from "../format/restoreTestRecord.js";
import { compilePathPattern } from "../platform/pathPattern.js";
import { FieldReader } from "../yaml/fieldReader.js";
import { formatSpan } from "../yaml/units.js";
import { type Building, checkName, entriesAt, membersAt, namedOnes } from "./building.js";
import { asList, type RawConfig, type RawGate, type RawRequirement, type RawRule } from "./rawConfig.js";
import type { ConfiguredTest, GateConfig, GateRequirement, GateRule, RepositoryConfig } from "./repriseConfig.js";

export interface GateWorld {
  repositories: readonly Pick<RepositoryConfig, "name" | "id">[];
  machines: readonly string[];
  tests: readonly ConfiguredTest[];
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const AGE_LIMITS = { minMs: MINUTE, maxMs: 3660 * DAY };
const RTO_LIMITS = { minMs: 1000, maxMs: 366 * DAY };
const DEFAULT_BACKUP_AGE_MS = 26 * 60 * MINUTE;
const DEFAULT_TEST_AGE_MS = 32 * DAY;
const DEFAULT_REASON_PREFIX = "Reprise-Override";

export function buildGates({ gates }: RawConfig, world: GateWorld, building: Building): GateConfig[] {
  return entriesAt(gates, "/gates").map(({ name, raw, at }) => buildGate(name, raw, at, world, building));
}

function buildGate(name: string, raw: RawGate, at: string, world: GateWorld, building: Building): GateConfig {
  const source = sourceOf(raw, at, world, building);
  const keys = asList(raw.keys);
  checkKeys(raw, at, source, building);
  const reader = new FieldReader(raw, at, building.problems);
  const gate: GateConfig = {
    name,
    description: raw.description ?? "",
    source,
    keys,
    maxEvidenceAgeMs: reader.span("max-evidence-age", AGE_LIMITS) ?? DEFAULT_BACKUP_AGE_MS,
    rules: raw.rules.map((rule, i) =>
      buildRule(rule, `${at}/rules/${i}`, { gate: raw, gatePath: at, world }, building),
    ),
    override:
      raw.override === undefined
        ? null
        : { label: raw.override.label, reasonPrefix: raw.override["reason-prefix"]?.trim() ?? DEFAULT_REASON_PREFIX },
    line: building.problems.lineOfKey(at),
  };
  warnOfShadows(raw, at, building);
  return gate;
}

function sourceOf(raw: RawGate, at: string, { repositories }: GateWorld, building: Building): GateConfig["source"] {
  const { evidence = "branch", repository } = raw;
  const names = repositories.map(({ name }) => name);
  if (evidence !== "branch") {
    checkName(evidence, { what: "repository", names }, `${at}/evidence`, building);
    if (repository !== undefined)
      building.problems.addAtKey(
        `${at}/repository`,
        "repository is for gates by the evidence branch: this one names its repository already",
      );
    return { kind: "repository", repository: evidence };
  }
  if (repository !== undefined) checkPinned(repository, `${at}/repository`, repositories, building);
  return { kind: "branch", repository: repository ?? null };
}

/** On the branch a repository is known by its id alone. */
function checkPinned(name: string, at: string, repositories: GateWorld["repositories"], building: Building): void {
  checkName(name, { what: "repository", names: repositories.map((each) => each.name) }, at, building);
  const named = repositories.find((each) => each.name === name);
  if (named !== undefined && named.id === null)
    building.problems.add(
      at,
      `${name} needs an "id": on the evidence branch a repository is known by nothing else (reprise stats shows it)`,
    );
}

function checkKeys(raw: RawGate, at: string, source: GateConfig["source"], { problems, warnings }: Building): void {
  const keys = asList(raw.keys);
  if (keys.length === 0 && source.kind === "branch") {
    problems.addAtKey(
      raw.keys === undefined ? at : `${at}/keys`,
      `"keys" is missing: without a trusted key no statement counts, and the gate would never open`,
    );
  } else if (keys.length === 0) {
    warnings.addAtKey(at, "without keys, whoever can write to the repository can open this gate");
  }
  membersAt(raw.keys, `${at}/keys`).forEach(({ value, at: place }, i) => {
    if (keys.indexOf(value) < i) problems.add(place, `${value} is listed twice`);
  });
}

interface RuleWorld {
  gate: RawGate;
  gatePath: string;
  world: GateWorld;
}

function buildRule(rule: RawRule, at: string, around: RuleWorld, building: Building): GateRule {
  const { problems } = building;
  const paths = asList(rule.paths);
  if (paths.length === 0) problems.add(`${at}/paths`, "paths is empty: write ** for every file");
  for (const { value, at: place } of membersAt(rule.paths, `${at}/paths`)) checkPattern(value, place, building);
  const machines = machinesOf(rule, at, around.world, building);
  return {
    paths,
    machines,
    requirement: buildRequirement(rule, at, machines, around, building),
    line: problems.line(at),
  };
}

function checkPattern(pattern: string, at: string, { problems }: Building): void {
  const compiled = compilePathPattern(pattern);
  if ("problem" in compiled) problems.add(at, compiled.problem);
}

function machinesOf(rule: RawRule, at: string, world: GateWorld, building: Building): string[] {
  const path = `${at}/machines`;
  const given = asList(rule.machines);
  // whoever takes the last name out of a list has not said that nothing is to be proven
  if (given.length === 0) {
    building.problems.add(path, "machines is empty: write none where no machine is required");
    return [];
  }
  if (given[0] !== "none")
    return namedOnes(rule.machines, { known: { what: "machine", names: world.machines }, path }, building);
  if (given.length > 1) building.problems.add(path, "none stands alone");
  for (const field of REQUIREMENT_FIELDS) {
    if (rule[field] !== undefined)
      building.problems.addAtKey(`${at}/${field}`, `${field} says nothing where no machine is required`);
  }
  return [];
}

const REQUIREMENT_FIELDS = [
  "level",
  "max-backup-age",
  "max-test-age",
  "proof",
  "rto",
  "checks",
  "allow-warned",
  "tests",
] as const satisfies readonly (keyof RawRequirement)[];

/** What the rule says, else the gate, else the defaults. */
function buildRequirement(
  rule: RawRule,
  at: string,
  machines: readonly string[],
  { gate, gatePath, world }: RuleWorld,
  building: Building,
): GateRequirement {
  const own = new FieldReader(rule, at, building.problems);
  const shared = new FieldReader(gate, gatePath, building.problems);
  const span = (name: string, limits: typeof AGE_LIMITS) => own.span(name, limits) ?? shared.span(name, limits);
  const level = rule.level ?? gate.level ?? defaultLevel(machines);
  const requirement: GateRequirement = {
    level,
    maxBackupAgeMs: span("max-backup-age", AGE_LIMITS) ?? DEFAULT_BACKUP_AGE_MS,
    maxTestAgeMs: span("max-test-age", AGE_LIMITS) ?? DEFAULT_TEST_AGE_MS,
    proof: rule.proof ?? gate.proof ?? "recent",
    rtoMs: span("rto", RTO_LIMITS),
    checks: [...new Set(rule.checks ?? gate.checks ?? [])],
    allowWarned: rule["allow-warned"] ?? gate["allow-warned"] ?? true,
    tests: testsOf(rule, at, { gate, gatePath, world }, building),
  };
  if (machines.length > 0) checkAgainstTests(requirement, machines, { rule, at, world }, building);
  return requirement;
}

/** Containers and hosts do not start from their backups: that they can be read is what can be proven. */
function defaultLevel(machines: readonly string[]): TestLevel {
  return machines.every((machine) => /(^|:)vm\//.test(machine)) ? "boots" : "readable";
}

function testsOf(rule: RawRule, at: string, { gate, gatePath, world }: RuleWorld, building: Building): string[] {
  const [given, path] = rule.tests !== undefined ? [rule.tests, `${at}/tests`] : [gate.tests, `${gatePath}/tests`];
  if (given === undefined) return [];
  return namedOnes(
    given,
    { known: { what: "restore test", names: world.tests.map(({ name }) => name) }, path },
    building,
  );
}

/** What no restore test of this file can ever prove. */
function checkAgainstTests(
  { level, tests, checks, rtoMs }: GateRequirement,
  machines: readonly string[],
  { rule, at, world }: { rule: RawRule; at: string; world: GateWorld },
  { problems, warnings }: Building,
): void {
  const usable = world.tests.filter(({ name }) => tests.length === 0 || tests.includes(name));
  for (const machine of machines) {
    const made = usable.flatMap(({ spec }) => spec.machines.filter((test) => test.machine === machine));
    if (made.length === 0) {
      const message = `no restore test of this file tests ${machine}`;
      if (tests.length > 0) problems.add(`${at}/machines`, `${message} among those that this rule names`);
      else warnings.add(`${at}/machines`, `${message}: somebody else must, or this gate stays shut`);
      continue;
    }
    if (!made.some((test) => LEVEL_RANK[test.level] >= LEVEL_RANK[level])) {
      warnings.add(
        rule.level === undefined ? at : `${at}/level`,
        `no restore test of this file proves that ${machine} is ${level}: this gate stays shut for it`,
      );
    }
    const known = new Set(made.flatMap((test) => test.checks.map(({ id }) => id)));
    const missing = checks.find((id) => !known.has(id));
    if (missing !== undefined)
      warnings.add(
        rule.checks === undefined ? at : `${at}/checks`,
        `no restore test of this file has the check ${missing} for ${machine}`,
      );
    if (rtoMs !== null && made.every(({ objectives }) => (objectives.rtoMs ?? 0) > rtoMs)) {
      warnings.add(
        rule.rto === undefined ? at : `${at}/rto`,
        `rto: every restore test of ${machine} allows more than ${formatSpan(rtoMs)}`,
      );
    }
  }
}

const LEVEL_RANK: Readonly<Record<TestLevel, number>> = { intact: 0, readable: 1, boots: 2, serves: 3 };

/** The last rule that matches decides: the same pattern further down makes an earlier one useless. */
function warnOfShadows(raw: RawGate, at: string, { warnings }: Building): void {
  const lastUse = new Map<string, number>();
  raw.rules.forEach(({ paths }, i) => {
    for (const pattern of asList(paths)) lastUse.set(pattern, i);
  });
  raw.rules.forEach(({ paths }, i) => {
    for (const { value, at: place } of membersAt(paths, `${at}/rules/${i}/paths`)) {
      const last = lastUse.get(value)!;
      if (last > i)
        warnings.add(
          place,
          `${JSON.stringify(value)} stands in a later rule again (number ${last + 1}), and that one decides`,
        );
    }
  });
}
