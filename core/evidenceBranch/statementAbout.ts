// What a statement is about, in a few words for lists and commit messages: by the names of its subjects, which whoever signed it has chosen.

import { INVENTORY_TYPE } from "../evidence/inventory.js";
import { RESTORE_TEST_TYPE, TEST_RESULT_TYPE } from "../evidence/statement.js";
import { shortLine } from "../report/inertText.js";

const MAX_CHARS = 200;
const KINDS: Readonly<Record<string, string>> = {
  [INVENTORY_TYPE]: "inventory",
  [RESTORE_TEST_TYPE]: "restore test",
  [TEST_RESULT_TYPE]: "test result",
};

/** "inventory of vm/web1", "restore test of vm/web1"; the type for one that is not ours. */
export function statementAbout({
  predicateType,
  subjects,
}: {
  predicateType: string;
  subjects: readonly string[];
}): string {
  const kind = Object.hasOwn(KINDS, predicateType) ? KINDS[predicateType] : undefined;
  const [first = "nothing"] = subjects;
  return shortLine(`${kind ?? predicateType} of ${machineOf(first) ?? first}`, MAX_CHARS);
}

/** `snapshot/MACHINE/TIME`, `repository/ID/MACHINE`. */
function machineOf(subject: string): string | null {
  const [, machine] =
    /^snapshot\/((?:[^:]*:)?(?:vm|ct|host)\/[^/]+)\//.exec(subject) ??
    /^repository\/[0-9a-f]{32}\/(.+)$/.exec(subject) ??
    [];
  return machine ?? null;
}
