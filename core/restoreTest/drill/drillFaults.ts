// Faults that are made on purpose, to see that a test fails when it must. None touches what is stored: each changes what the test
// gets to see of it. docs/restore-tests.md.

import { RepriseError } from "../../errors.js";
import type { TestLevel } from "../spec/restoreTestSpec.js";

export const DRILL_FAULTS = ["destroyed-chunk", "wrong-key", "missing-disk", "wrong-bus", "no-service"] as const;
export type DrillFaultName = (typeof DRILL_FAULTS)[number];

export interface DrillFault {
  name: DrillFaultName;
  /** For people: what is wrong in this test. */
  description: string;
  /** How the test has to end; anything else: the fault was not noticed, or the test cannot be made. */
  expected: readonly ("failed" | "inconclusive")[];
  /** The lowest level at which it can be noticed. */
  level: TestLevel;
  /** Why it may rightly end in another way, or null. */
  unless: string | null;
}

const FAULTS: Readonly<Record<DrillFaultName, Omit<DrillFault, "name">>> = {
  "destroyed-chunk": {
    description: "the bytes of one chunk of the snapshot, in every pack that has it, are others than were written",
    expected: ["failed"],
    level: "intact",
    unless: null,
  },
  "wrong-key": {
    description: "the data is read with another key than it was encrypted with",
    expected: ["failed", "inconclusive"],
    level: "intact",
    unless: null,
  },
  "missing-disk": {
    description: "the first disk of the machine is not there",
    expected: ["failed"],
    level: "readable",
    unless: null,
  },
  "wrong-bus": {
    description: "the disks are attached to a bus for which the machine may have no driver",
    expected: ["failed", "inconclusive"],
    level: "boots",
    unless: "the machine has drivers for that bus, too",
  },
  "no-service": {
    description: "nothing in the machine answers on its ports, or through its agent",
    expected: ["failed", "inconclusive"],
    level: "serves",
    unless: null,
  },
};

/** DRILL_UNKNOWN for a name that is none. */
export function drillFault(name: string): DrillFault {
  const known = DRILL_FAULTS.find((each) => each === name);
  if (known === undefined) {
    throw new RepriseError("usage", "DRILL_UNKNOWN", `there is no drill "${name}"`, {
      data: { name },
      hint: `drills: ${DRILL_FAULTS.join(", ")}`,
    });
  }
  return { name: known, ...FAULTS[known] };
}

/** Whether a drill has shown what it should: the test noticed the fault. `outcome`: of the record, whose drill it is. */
export function isNoticed(fault: DrillFault, outcome: string, reason: string): boolean {
  return (fault.expected as readonly string[]).includes(outcome) && reason !== UNNOTICED_REASON;
}

/** The verdict of a drill in which everything held. */
export const UNNOTICED_REASON = "drill: the fault was not noticed";
