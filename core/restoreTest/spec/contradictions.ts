// What no schema can say: fields of a spec that exclude each other, and levels that nothing proves.

import type { ProblemList } from "../../yaml/problems.js";
import { LEVEL_OF_CHECK, NETWORK_CHECKS, reaches, SERVING_CHECKS } from "./checkLevels.js";
import type { CheckSpec, MachineTest, RestoreTestSpec } from "./restoreTestSpec.js";

/** A machine with the paths of what it says. */
export interface PlacedMachine {
  test: MachineTest;
  /** Of a field: the machine's own, the spec's, or the machine itself. */
  pathOf(...field: string[]): string;
}

export function findContradictions(
  machines: readonly PlacedMachine[],
  spec: RestoreTestSpec,
  problems: ProblemList,
): void {
  for (const machine of machines) {
    checkLevel(machine, problems);
    checkHardware(machine, problems);
    checkNetwork(machine, spec, problems);
    checkSnapshot(machine, machines.length, problems);
  }
  checkDependencies(machines, problems);
}

function checkLevel({ test, pathOf }: PlacedMachine, problems: ProblemList): void {
  const { level, checks, machine } = test;
  for (const check of checks) {
    const needed = LEVEL_OF_CHECK[check.type];
    if (reaches(level, needed)) continue;
    problems.add(
      pathOf("level"),
      `level: ${level} leaves out the check "${check.id}" (line ${check.line}), which needs level ${needed}`,
    );
  }
  if (level === "serves" && !checks.some(provesServing)) {
    problems.add(
      pathOf("level"),
      `level: serves needs a check of severity fail that proves it for ${machine}: tcp, http, command, sql or script`,
    );
  }
  if (test.objectives.rtoMs !== null && !reaches(level, "boots")) {
    problems.add(pathOf("objectives", "rto"), `rto is measured by starting the machine: level: ${level} does not`);
  }
}

function provesServing(check: CheckSpec): boolean {
  return SERVING_CHECKS.has(check.type) && check.severity === "fail";
}

function checkHardware({ test, pathOf }: PlacedMachine, problems: ProblemList): void {
  const { firmware, secureBoot, machineType, diskBus } = test.hardware;
  if (firmware === "bios" && secureBoot === true) {
    problems.add(pathOf("hardware", "secure-boot"), "secure-boot contradicts firmware: bios; it needs uefi");
  }
  if (secureBoot === true && machineType !== null && /^(pc$|pc-i440fx)/.test(machineType)) {
    problems.add(
      pathOf("hardware", "machine-type"),
      `secure-boot contradicts machine-type: ${machineType}; it needs q35`,
    );
  }
  if (diskBus === "ide" && machineType !== null && /q35/.test(machineType)) {
    problems.add(
      pathOf("hardware", "disk-bus"),
      `disk-bus: ide contradicts machine-type: ${machineType}; q35 has sata, ide needs pc`,
    );
  }
}

function checkNetwork({ test, pathOf }: PlacedMachine, { network }: RestoreTestSpec, problems: ProblemList): void {
  if (network.mode !== "none") return;
  for (const check of test.checks.filter(({ type }) => NETWORK_CHECKS.has(type))) {
    problems.add(
      pathOf("network"),
      `network: none contradicts the check "${check.id}" (line ${check.line}), which needs a port`,
    );
  }
  if (test.ready.port !== null) problems.add(pathOf("network"), "network: none contradicts ready: port");
}

function checkSnapshot({ test, pathOf }: PlacedMachine, machines: number, problems: ProblemList): void {
  const { snapshot } = test;
  if (machines > 1 && snapshot.kind === "named" && /^[0-9a-f]/.test(snapshot.name) && !snapshot.name.includes("T")) {
    const path = pathOf("snapshot");
    if (path === "/spec/snapshot") problems.add(path, "an id names one machine's snapshot: give it to that machine");
  }
}

function checkDependencies(machines: readonly PlacedMachine[], problems: ProblemList): void {
  const byName = new Map(machines.map((machine) => [machine.test.machine, machine]));
  for (const { test, pathOf } of machines) {
    for (const [i, name] of test.dependsOn.entries()) {
      const path = `${pathOf("depends-on")}/${i}`;
      const other = byName.get(name);
      if (other === undefined) problems.add(path, `depends-on: ${name} is none of this test's machines`);
      else if (name === test.machine) problems.add(path, `${name} depends on itself`);
      else if (!reaches(other.test.level, "boots")) {
        problems.add(path, `depends-on: ${name} is not started: its level is ${other.test.level}`);
      } else if (!reaches(test.level, "boots")) {
        problems.add(
          path,
          `depends-on means an order of starting: at level ${test.level} ${test.machine} is not started`,
        );
      }
    }
  }
}
