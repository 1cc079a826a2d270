// What the filter box of the Repositories view means: words, all of which have to be true. Pure.
//   web*  or  web    machines by name, as a pattern or a part of it; `name:damaged` for one that is called like a word below
//   tag:nightly      snapshots with this tag (patterns, too)
//   damaged verified unverified protected tested failed     snapshots by what is recorded of them
//   untested         machines that no restore test has tried

import { namePattern } from "./namePattern.js";

/** Of a snapshot, what a filter looks at. */
export interface FilteredSnapshot {
  tags: readonly string[];
  protected: boolean;
  verification: { result: string } | null;
  restoreTest: { outcome: string } | null;
  /** A repair has filled ranges with zeros. */
  isPatched: boolean;
}

export interface CatalogFilter {
  isOfMachine(machine: string): boolean;
  isOfSnapshot(snapshot: FilteredSnapshot): boolean;
  /** Machines with a restore test are left out. */
  isUntestedOnly: boolean;
  /** Some snapshots of a machine may match and others not. */
  isAboutSnapshots: boolean;
  /** Asks for what records say, which is known at the end of a reading only. */
  needsRecords: boolean;
}

type Test = (snapshot: FilteredSnapshot) => boolean;

const PROOFS = ["passed", "warned"];
const isDamaged: Test = ({ verification, isPatched }) => verification?.result === "damaged" || isPatched;

const STATES: Readonly<Record<string, Test>> = {
  damaged: isDamaged,
  verified: ({ verification }) => verification?.result === "ok",
  unverified: ({ verification }) => verification === null,
  protected: (snapshot) => snapshot.protected,
  tested: ({ restoreTest }) => restoreTest !== null && PROOFS.includes(restoreTest.outcome),
  failed: ({ restoreTest }) => restoreTest?.outcome === "failed",
};
const UNTESTED = "untested";
const MAX_WORDS = 32;

/** Undefined: there is nothing to filter by. */
export function parseCatalogFilter(text: string): CatalogFilter | undefined {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .slice(0, MAX_WORDS);
  if (words.length === 0) return undefined;
  const names: ((text: string) => boolean)[] = [];
  const tests: Test[] = [];
  for (const word of words) {
    const state = Object.hasOwn(STATES, word) ? STATES[word] : undefined;
    if (state !== undefined) tests.push(state);
    else if (word.startsWith("tag:")) tests.push(hasTag(word.slice(4)));
    else if (word !== UNTESTED) names.push(namePattern(word.startsWith("name:") ? word.slice(5) : word));
  }
  const isUntestedOnly = words.includes(UNTESTED);
  return {
    isOfMachine: (machine) => names.every((isWanted) => namesOf(machine).some(isWanted)),
    isOfSnapshot: (snapshot) => tests.every((isTrue) => isTrue(snapshot)),
    isUntestedOnly,
    isAboutSnapshots: tests.length > 0,
    needsRecords: tests.length > 0 || isUntestedOnly,
  };
}

/** `prod:vm/web1` is called `vm/web1` and `web1`, too. */
function namesOf(machine: string): string[] {
  const group = machine.slice(machine.indexOf(":") + 1);
  return [machine, group, group.slice(group.indexOf("/") + 1)];
}

/** A tag is whole: `tag:prod` is not `production`. */
function hasTag(wanted: string): Test {
  const isWanted = namePattern(wanted, { whole: true });
  return ({ tags }) => tags.some(isWanted);
}
