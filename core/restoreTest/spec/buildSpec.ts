// A whole spec out of a document whose form the schema has checked: machines in the order in which they start.

import { FieldReader } from "../../yaml/fieldReader.js";
import type { ProblemList } from "../../yaml/problems.js";
import { formatSpan } from "../../yaml/units.js";
import { cycleAmong, orderMachines } from "../choose/orderMachines.js";
import { buildMachine, type MachineSource } from "./buildMachine.js";
import { buildNetwork } from "./buildNetwork.js";
import { NETWORK_CHECKS, reaches } from "./checkLevels.js";
import { findContradictions, type PlacedMachine } from "./contradictions.js";
import type { RawDocument, RawMachine, RawSpec } from "./rawSpec.js";
import type { MachineTest, NetworkSpec, RestoreTestSpec } from "./restoreTestSpec.js";

const SPEC_PATH = "/spec";
const MINUTE = 60_000;
const DEFAULT_TOTAL_MS = 120 * MINUTE;
const TOTAL_LIMITS = { minMs: MINUTE, maxMs: 30 * 24 * 60 * MINUTE };
const DEFAULT_KEPT = ["serial-log", "screenshot"] as const;

/** With problems, what it returns is of no use. */
export function buildSpec({ metadata, spec }: RawDocument, problems: ProblemList): RestoreTestSpec {
  const sources = machineSources(spec, problems);
  const tests = sources.map((source) => buildMachine(source, problems));
  const result: RestoreTestSpec = {
    name: metadata.name,
    description: metadata.description ?? "",
    owner: metadata.owner ?? "",
    criticality: metadata.criticality ?? "",
    controls: metadata.controls ?? [],
    machines: inOrder(tests, sources, problems),
    network: buildNetwork(spec.network, `${SPEC_PATH}/network`, defaultNetwork(tests), problems),
    totalMs: totalMs(spec, tests, sources, problems),
    keepOnFailure: [...new Set(spec["keep-on-failure"] ?? DEFAULT_KEPT)],
  };
  const placed = tests.map((test, i): PlacedMachine => ({ test, pathOf: pathsIn(sources[i]!) }));
  findContradictions(placed, result, problems);
  return result;
}

function machineSources(spec: RawSpec, problems: ProblemList): MachineSource[] {
  if (spec.machine !== undefined && spec.machines !== undefined) {
    problems.addAtKey(`${SPEC_PATH}/machine`, "machine and machines exclude each other: name one, or list several");
  }
  if (spec.machine === undefined && spec.machines === undefined) {
    problems.addAtKey(SPEC_PATH, '"machine" (or "machines") is missing in spec');
  }
  if (spec.machines === undefined) {
    if (spec.machine === undefined) return [];
    return [{ raw: { ...spec, machine: spec.machine } as RawMachine, path: SPEC_PATH, spec, specPath: SPEC_PATH }];
  }
  const seen = new Set<string>();
  return spec.machines.map((given, i) => {
    const raw = typeof given === "string" ? { machine: given } : given;
    const path = `${SPEC_PATH}/machines/${i}`;
    if (seen.has(raw.machine)) problems.add(path, `${raw.machine} is listed twice`);
    seen.add(raw.machine);
    return { raw, path, spec, specPath: SPEC_PATH };
  });
}

function pathsIn({ raw, path, spec, specPath }: MachineSource): PlacedMachine["pathOf"] {
  return (...field) => {
    const below = `/${field.join("/")}`;
    if (lookUp(raw, field) !== undefined) return `${path}${below}`;
    return lookUp(spec, field) !== undefined ? `${specPath}${below}` : path;
  };
}

function lookUp(value: unknown, field: readonly string[]): unknown {
  return field.reduce((at: unknown, name) => (at as Record<string, unknown> | undefined)?.[name], value);
}

function inOrder(
  tests: readonly MachineTest[],
  sources: readonly MachineSource[],
  problems: ProblemList,
): readonly MachineTest[] {
  const cycle = cycleAmong(tests);
  if (cycle === null) return orderMachines(tests);
  const first = tests.findIndex(({ machine }) => machine === cycle[0]);
  problems.add(`${sources[first]!.path}/depends-on`, `machines depend on each other in a circle: ${cycle.join(" → ")}`);
  return tests;
}

function defaultNetwork(tests: readonly MachineTest[]): NetworkSpec["mode"] {
  const running = tests.filter(({ level }) => reaches(level, "boots"));
  const needsPort = ({ ready, checks }: MachineTest) =>
    ready.port !== null || checks.some(({ type }) => NETWORK_CHECKS.has(type));
  return running.length > 1 || tests.some(needsPort) ? "isolated" : "none";
}

/** Given: at least as long as each part that is given. Not given: long enough for all of them in a row. */
function totalMs(
  spec: RawSpec,
  tests: readonly MachineTest[],
  sources: readonly MachineSource[],
  problems: ProblemList,
): number {
  const reader = new FieldReader(spec.timeouts ?? {}, `${SPEC_PATH}/timeouts`, problems);
  const total = reader.span("total", TOTAL_LIMITS);
  const parts = tests.flatMap(({ timeouts, via, level }, i) => {
    const used = [
      ...(via === "instant" ? [] : [{ name: "restore" as const, ms: timeouts.restoreMs }]),
      ...(reaches(level, "boots") ? [{ name: "boot" as const, ms: timeouts.bootMs }] : []),
      ...(level === "serves" ? [{ name: "application" as const, ms: timeouts.applicationMs }] : []),
    ];
    const given = { ...spec.timeouts, ...sources[i]!.raw.timeouts };
    return used.map((part) => ({ ...part, isGiven: given[part.name] !== undefined }));
  });
  const sum = parts.reduce((ms, part) => ms + part.ms, 0);
  if (total === null) return Math.max(DEFAULT_TOTAL_MS, sum);
  const longer = parts.find(({ ms, isGiven }) => isGiven && ms > total);
  if (longer) {
    reader.problem("total", `total: ${formatSpan(total)} is shorter than ${longer.name}: ${formatSpan(longer.ms)}`);
  }
  return total;
}
