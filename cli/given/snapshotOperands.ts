import type { OperandSpec } from "../lineSpec.js";

const FORMS = "vm/NAME@latest, vm/NAME@TIME, vm/NAME~1 (the one before), or digits of an id";

export const SNAPSHOT_OPERAND: OperandSpec = { name: "<snapshot>", description: FORMS, completes: "snapshot" };
export const SNAPSHOTS_OPERAND: OperandSpec = { name: "<snapshot...>", description: FORMS, completes: "snapshot" };
