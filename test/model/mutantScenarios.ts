// For each broken protocol a repository and processes that lose something by it.

import type { MemoryState } from "../../core/storage/memoryBackend.js";
import type { Invariants, Scenario } from "./explorer.js";
import * as mutants from "./mutants.js";
import type { Program } from "./processTree.js";
import { adopter, forgetter, idOf, inOnePhase, planner, writer } from "./protocolActors.js";
import { NO_LOSS } from "./protocolInvariants.js";
import {
  decisions,
  firstPackOf,
  latePutOf,
  OLD,
  oneSnapshot,
  packRequests,
  slowListings,
  stillness,
  twoCopies,
} from "./protocolScenarios.js";
import type { Operation } from "./storageStates.js";

export interface MutantScenario {
  name: string;
  /** What must be found. */
  loss: RegExp;
  make(): Promise<Scenario>;
}

const { mutated } = mutants;
const w1 = writer("w1", ["a"]);
const f = forgetter("f", OLD);
const p1 = planner("p1", [firstPackOf("s0")]);
const p2 = planner("p2", [firstPackOf("s1")]);
const a1 = adopter("a1");

/** A mutant may change what would never change. */
const settled = (key: string) => key.startsWith("index/");
const { quiet } = stillness([OLD], true);
const common = { invariants: NO_LOSS, duplicates: packRequests, mostStates: 3_000_000, quiet, settled };
const lostBy = (name: string, file: string) => new RegExp(`^committed snapshot ${idOf(name, 1)} has lost ${file}$`);

export const MUTANT_SCENARIOS: readonly MutantScenario[] = [
  {
    name: "a writer does not announce itself",
    loss: lostBy("w1", "a"),
    make: async () => from(await oneSnapshot(), { w1: mutated(w1, mutants.noAnnouncement), f, p1 }),
  },
  {
    name: "a writer announces itself after looking",
    loss: lostBy("w1", "a"),
    make: async () => from(await oneSnapshot(), { w1: mutated(w1, mutants.lateAnnouncement), f, p1 }),
  },
  {
    name: "a writer looks for packs before it looks for plans, and finals go with their plans",
    loss: lostBy("w1", "a"),
    make: async () =>
      from(await oneSnapshot(), {
        w1: mutated(w1, mutants.packsBeforePlans),
        f,
        p1: mutated(p1, mutants.finalDropped),
      }),
  },
  {
    name: "a writer lists plans once although a listing takes time",
    loss: lostBy("w1", "a"),
    async make() {
      const scenario = from(await oneSnapshot(), { w1: mutated(w1, mutants.oneListing), f, p1 });
      return { ...scenario, late: latePutOf(scenario.initial, "s0"), borders: slowListings(idOf("p1", 1)) };
    },
  },
  {
    name: "a writer commits by overwriting",
    loss: lostBy("w1", "a"),
    make: async () => from(await oneSnapshot(), { w1: mutated(w1, mutants.plainCommit), f, p1 }),
  },
  {
    name: "a collector does not wait for open sessions",
    loss: lostBy("w1", "a"),
    make: async () => from(await oneSnapshot(), { w1, f, p1: mutated(p1, mutants.noBarrier) }),
  },
  {
    name: "a collector does not look a second time",
    loss: lostBy("w1", "a"),
    make: async () => from(await oneSnapshot(), { w1, f, p1: mutated(inOnePhase(p1), mutants.noSecondLook) }),
  },
  {
    name: "collectors do not look at each other's plans",
    loss: lostBy("s0", "a"),
    async make() {
      const ignoring = (name: string) => mutants.othersIgnored(idOf(name, 1));
      const programs = { p1: mutated(p1, ignoring("p1")), p2: mutated(p2, ignoring("p2")) };
      return from(await twoCopies(), programs);
    },
  },
  {
    name: "every executor of a plan decides for itself",
    loss: lostBy("s0", "a"),
    async make() {
      const deciding = (program: Program) => mutated(program, mutants.ownDecision, { forgets: true });
      const programs = { p1: deciding(p1), p2, a1: deciding(a1) };
      return from(await twoCopies(), programs);
    },
  },
  {
    name: "a final goes with its plan",
    loss: lostBy("w1", "a"),
    async make() {
      const dropping = (program: Program) => mutated(program, mutants.finalDropped, { forgets: true });
      return from(await oneSnapshot(), { w1, f, p1: dropping(p1), a1: dropping(a1) });
    },
  },
  {
    name: "forgetting removes the decision",
    loss: lostBy("w1", "b"),
    async make() {
      const programs = {
        w1: writer("w1", ["b"]),
        f: mutated(forgetter("f", idOf("w1", 1)), mutants.forgetDeletes),
        p1: planner("p1", [firstPackOf("w1")]),
      };
      const duplicates = (operation: Operation) => packRequests(operation) || decisions(operation);
      return { ...common, initial: await oneSnapshot(), programs, duplicates, invariants: ONLY_SNAPSHOTS };
    },
  },
];

/** What was acknowledged may go: it was forgotten. */
const ONLY_SNAPSHOTS: Invariants = { ...NO_LOSS, outcome: () => null };

function from(initial: MemoryState, programs: Scenario["programs"]): Scenario {
  return { ...common, initial, programs };
}
