// Every interleaving of the storage operations of several processes of real code, breadth first, each state once. A state is
// what the storage holds, what each process has been answered, and which requests may still arrive late. A crash needs
// no step of its own: it is a process that is never scheduled again, and the invariants hold in every state.

import { isOurError, RepriseError } from "../../core/errors.js";
import type { MemoryState } from "../../core/storage/memoryBackend.js";
import { type Borders, type ProcessNode, ProcessTree, type Program } from "./processTree.js";
import { type Answer, changesStorage, type Operation, type StorageState, StorageStates } from "./storageStates.js";

export interface Scenario {
  initial: MemoryState;
  /** Real code, by name. */
  programs: Record<string, Program>;
  /** Objects and listings that nobody ever changes: reading them is no step. A change is a violation. */
  quiet: (key: string) => boolean;
  /** Objects that never change once they exist: reading one that exists is no step. A change is a violation. */
  settled: (key: string) => boolean;
  /** Listings that are no one step. Default: all are. */
  borders?: Borders;
  /** Requests that may take effect a second time, at any later moment. */
  duplicates?: (operation: Operation) => boolean;
  /** Requests sent before the start that may still arrive. */
  late?: readonly { kind: "put" | "delete"; key: string; bytes: Uint8Array }[];
  /** Requests that may be reported as failed and take effect at any later moment or never; so many in one run. */
  timeouts?: { most: number; matches: (operation: Operation) => boolean };
  invariants: Invariants;
  mostStates: number;
}

export interface Invariants {
  /** What is wrong with a storage by itself. Asked once for each. */
  storage(state: StorageState, states: StorageStates): string | null;
  /** What is wrong with a process having ended so, given the storage. */
  outcome(process: string, outcome: string, state: StorageState, states: StorageStates): string | null;
  /** What is wrong with an operation in this storage. */
  operation(process: string, operation: Operation, state: StorageState, states: StorageStates): string | null;
}

export interface Exploration {
  /** States of the whole system. */
  states: number;
  /** Different contents of the storage. */
  storages: number;
  /** Different ways that the processes went, each run with real code. */
  histories: number;
  /** How each process ended, in any of the interleavings. */
  outcomes: Record<string, string[]>;
  violation: string | null;
  /** The shortest way to the violation. */
  trace: string[];
  /** More states than allowed: nothing was found so far, and nothing is proved. */
  capped: boolean;
}

/** Operations on these are private to a process, whose names are fresh, and are seen by nobody else. */
const PRIVATE_PREFIX = "probe/";

interface World {
  storage: StorageState;
  nodes: readonly ProcessNode[];
  /** Numbers of requests that may still take effect, ascending. */
  zombies: readonly number[];
  timeouts: number;
  from: World | null;
  step: Step | null;
}

interface Step {
  /** Index of the process; −1 for a request that arrives late. */
  process: number;
  operation: Operation;
  how: "" | "times out" | "arrives late";
}

export async function explore(scenario: Scenario): Promise<Exploration> {
  const explorer = new Explorer(scenario);
  return explorer.run();
}

class Explorer {
  readonly #scenario: Scenario;
  readonly #states = new StorageStates();
  readonly #names: string[];
  readonly #trees: ProcessTree[];
  readonly #seen = new Set<string>();
  readonly #queue: World[] = [];
  readonly #zombies: Operation[] = [];
  readonly #zombieNumbers = new Map<string, number>();
  readonly #judged: (string | null)[] = [];
  readonly #outcomes: Set<string>[];
  #violation: { world: World; problem: string } | null = null;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#names = Object.keys(scenario.programs);
    this.#trees = Object.entries(scenario.programs).map(([name, program]) => {
      return new ProcessTree(name, program, this.#states, scenario.borders ?? (() => []));
    });
    this.#outcomes = this.#names.map(() => new Set());
  }

  async run(): Promise<Exploration> {
    const nodes: ProcessNode[] = [];
    for (const tree of this.#trees) nodes.push(await tree.root());
    const storage = this.#states.fromMemory(this.#scenario.initial);
    const timeouts = this.#scenario.timeouts?.most ?? 0;
    const zombies = this.#lateFromTheStart();
    this.#visit({ storage, nodes, zombies, timeouts, from: null, step: null });
    let next = 0;
    for (; next < this.#queue.length && this.#violation === null; next++) {
      if (this.#seen.size > this.#scenario.mostStates) break;
      await this.#expand(this.#queue[next]!);
    }
    for (const tree of this.#trees) await tree.checkForgetting(FORGOTTEN_WAYS_TRIED);
    return this.#report(next < this.#queue.length);
  }

  #report(unfinished: boolean): Exploration {
    const outcomes = this.#names.map((name, i) => [name, [...this.#outcomes[i]!].sort()]);
    return {
      states: this.#seen.size,
      storages: this.#states.count,
      histories: this.#trees.reduce((sum, { nodes }) => sum + nodes, 0),
      outcomes: Object.fromEntries(outcomes),
      violation: this.#violation?.problem ?? null,
      trace: this.#violation === null ? [] : this.#traceOf(this.#violation.world),
      capped: unfinished && this.#violation === null,
    };
  }

  async #expand(world: World): Promise<void> {
    const quiet = this.#findQuiet(world);
    if (quiet !== null) return this.#stepProcess(world, quiet.process, quiet.index);
    for (const [process, { pending }] of world.nodes.entries()) {
      for (let index = 0; index < pending.length; index++) {
        await this.#stepProcess(world, process, index);
        await this.#timeOut(world, process, index);
      }
    }
    for (const zombie of world.zombies) this.#stepZombie(world, zombie);
  }

  /** An operation that commutes with everything that anybody else can still do: no other order needs to be looked at. */
  #findQuiet({ storage, nodes }: World): { process: number; index: number } | null {
    for (const [process, { pending }] of nodes.entries()) {
      const index = pending.findIndex((operation) => this.#isQuiet(operation, storage));
      if (index >= 0) return { process, index };
    }
    return null;
  }

  #isQuiet(operation: Operation, storage: StorageState): boolean {
    const { key } = operation;
    if (key.startsWith(PRIVATE_PREFIX)) return true;
    if (changesStorage(operation)) return false;
    if (this.#scenario.quiet(key)) return true;
    return operation.kind !== "list" && storage.objects.has(key) && this.#scenario.settled(key);
  }

  async #stepProcess(world: World, process: number, index: number): Promise<void> {
    const operation = world.nodes[process]!.pending[index]!;
    const answer = this.#states.answer(world.storage, operation);
    const storage = this.#states.after(world.storage, operation);
    const nodes = await this.#advance(world, process, index, answer);
    const again = this.#scenario.duplicates?.(operation) === true;
    const zombies = again ? this.#withZombie(world.zombies, operation) : world.zombies;
    const step: Step = { process, operation, how: "" };
    this.#visit({ storage, nodes, zombies, timeouts: world.timeouts, from: world, step });
  }

  async #timeOut(world: World, process: number, index: number): Promise<void> {
    const operation = world.nodes[process]!.pending[index]!;
    if (world.timeouts === 0 || !changesStorage(operation)) return;
    if (!this.#scenario.timeouts!.matches(operation)) return;
    const nodes = await this.#advance(world, process, index, TIMED_OUT);
    const zombies = this.#withZombie(world.zombies, operation);
    const step: Step = { process, operation, how: "times out" };
    this.#visit({ storage: world.storage, nodes, zombies, timeouts: world.timeouts - 1, from: world, step });
  }

  /** One that would change nothing stays as it is: it may matter later. */
  #stepZombie(world: World, zombie: number): void {
    const operation = this.#zombies[zombie]!;
    const storage = this.#states.after(world.storage, operation);
    if (storage === world.storage) return;
    const zombies = world.zombies.filter((other) => other !== zombie);
    const step: Step = { process: -1, operation, how: "arrives late" };
    this.#visit({ storage, nodes: world.nodes, zombies, timeouts: world.timeouts, from: world, step });
  }

  async #advance(world: World, process: number, index: number, answer: Answer): Promise<ProcessNode[]> {
    const tree = this.#trees[process]!;
    const node = world.nodes[process]!;
    const nodes = [...world.nodes];
    nodes[process] = tree.known(node, index, answer) ?? (await tree.advance(node, index, answer));
    return nodes;
  }

  #lateFromTheStart(): readonly number[] {
    let zombies: readonly number[] = [];
    for (const { kind, key, bytes } of this.#scenario.late ?? []) {
      zombies = this.#withZombie(zombies, { kind, key, content: this.#states.intern(bytes) });
    }
    return zombies;
  }

  #withZombie(zombies: readonly number[], operation: Operation): readonly number[] {
    const name = `${operation.kind} ${operation.key} ${operation.content}`;
    let number = this.#zombieNumbers.get(name);
    if (number === undefined) {
      number = this.#zombies.length;
      this.#zombies.push(operation);
      this.#zombieNumbers.set(name, number);
    }
    return zombies.includes(number) ? zombies : [...zombies, number].sort((a, b) => a - b);
  }

  #visit(world: World): void {
    const key = this.#keyOf(world);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#queue.push(world);
    const problem = this.#judge(world);
    if (problem !== null) this.#violation ??= { world, problem };
  }

  /** How a process ended is all that remains of it. */
  #keyOf({ storage, nodes, zombies, timeouts }: World): string {
    const processes = nodes.map((node) => (node.outcome === undefined ? node.number : outcomeOf(node)));
    return `${storage.number}|${processes.join()}|${zombies.join()}|${timeouts}`;
  }

  #judge({ storage, nodes, from, step }: World): string | null {
    const { invariants } = this.#scenario;
    if (step !== null && from !== null && changesStorage(step.operation) && step.how !== "times out") {
      const name = this.#names[step.process] ?? "late request";
      const problem = this.#judgeClaims(step.operation, from.storage, storage);
      if (problem !== null) return problem;
      const broken = invariants.operation(name, step.operation, from.storage, this.#states);
      if (broken !== null) return broken;
    }
    const problem = this.#judgeStorage(storage);
    if (problem !== null) return problem;
    for (const [process, node] of nodes.entries()) {
      if (node.outcome === undefined) continue;
      const outcome = outcomeOf(node);
      this.#outcomes[process]!.add(outcome);
      const problem = invariants.outcome(this.#names[process]!, outcome, storage, this.#states);
      if (problem !== null) return problem;
    }
    return null;
  }

  #judgeStorage(storage: StorageState): string | null {
    let judgement = this.#judged[storage.number];
    if (judgement === undefined) {
      judgement = this.#scenario.invariants.storage(storage, this.#states);
      this.#judged[storage.number] = judgement;
    }
    return judgement;
  }

  /** What the scenario promises is what makes it right to leave orders out. */
  #judgeClaims({ key }: Operation, before: StorageState, after: StorageState): string | null {
    if (before === after) return null;
    if (this.#scenario.quiet(key)) return `the scenario says that nobody changes ${key}`;
    const isNew = !before.objects.has(key);
    return this.#scenario.settled(key) && !isNew ? `the scenario says that ${key} does not change` : null;
  }

  #traceOf(world: World): string[] {
    const lines: string[] = [];
    for (let at: World | null = world; at?.step; at = at.from) {
      const { process, operation, how } = at.step;
      const who = process < 0 ? "late request" : this.#names[process]!;
      const part = operation.part ? `from ${operation.part.from || "the start"}` : "";
      const words = [`${who}:`, operation.kind, operation.key, part, how].filter((word) => word !== "");
      lines.unshift(readable(words.join(" ")));
    }
    return lines;
  }
}

/** Of each process. */
const FORGOTTEN_WAYS_TRIED = 20;

const TIMED_OUT: Answer = {
  name: "timed out",
  error: new RepriseError("backend", "STORAGE_FAILED", "no reply came", { retry: "later" }),
};

/** A program's text, or the code of its error. */
export function outcomeOf({ outcome }: ProcessNode): string {
  if (outcome === undefined) return "running";
  if ("result" in outcome) return outcome.result;
  if (isOurError(outcome.error)) return outcome.error.code;
  throw outcome.error;
}

/** Ids as `w1.0`: the test's ids begin with the letters of their process and end with a count. */
export function readable(text: string): string {
  return text.replace(/[0-9a-f]{32}/g, (id) => {
    const letters = id
      .slice(0, 16)
      .match(/../g)!
      .map((hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    return `${letters.join("").replaceAll("\0", "")}.${Number.parseInt(id.slice(24), 16)}`;
  });
}
