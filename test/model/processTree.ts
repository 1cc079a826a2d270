// One process of real code as a tree: a node is everything the process has been answered so far, and what it asks next.
// The code is deterministic, so each node is computed once, by running the code with those answers; all interleavings
// with other processes are then explored without running it again. What a process has learned and does not need any
// more would keep histories apart for nothing, so a program says where it forgets; that claim is tried, not believed.

import assert from "node:assert/strict";
import type { Backend, GetOptions, ObjectInfo } from "../../core/storage/backend.js";
import { type Answer, LAST_NAME, NO_CONTENT, type Operation, type StorageStates } from "./storageStates.js";

/**
 * The code under test: promises and synchronous work, no timers, no real input or output, no chance. `input` is what the
 * phase before has answered, at first empty.
 */
export type Phase = (backend: Backend, input: string) => Promise<string>;

export interface Program {
  /** One after the other; each gets nothing but the text of the one before. The last text says how the process ended. */
  phases: readonly Phase[];
  /**
   * Where the process has no use any more for most of what it was answered: a text with all that still matters for what it
   * does from this operation on (the operation itself need not be in it). Null elsewhere.
   */
  forgetsBefore?: (operation: Operation, past: Past) => string | null;
}

/** What the process was answered in this phase, last first. */
export type Past = () => Iterable<{ operation: Operation; answer: Answer }>;

/** Names at which a listing of this prefix is interrupted: each part shows what is there when it is read. */
export type Borders = (prefix: string) => readonly string[];

export type Outcome = { result: string } | { error: unknown };

export interface ProcessNode {
  readonly number: number;
  /** What the process waits for; several at once when it works side by side. */
  readonly pending: readonly Operation[];
  /** Set when the process has ended. */
  readonly outcome: Outcome | undefined;
  readonly children: Map<string, ProcessNode>;
  /** Undefined at the start of a phase. */
  readonly from: Arrival | undefined;
  readonly phase: { number: number; input: string };
}

interface Arrival {
  node: ProcessNode;
  index: number;
  answer: Answer;
}

/** Runs kept where they stand, so that going on from there need not start at the beginning. */
const PARKED_RUNS = 48;

export class ProcessTree {
  readonly name: string;
  readonly #program: Program;
  readonly #states: StorageStates;
  readonly #borders: Borders;
  readonly #parked = new Map<ProcessNode, Run>();
  readonly #phases = new Map<string, Promise<ProcessNode>>();
  readonly #meetings = new Map<string, ProcessNode>();
  /** Other ways to a node at which the program forgets. */
  readonly #forgotten: { node: ProcessNode; from: Arrival }[] = [];
  #nodes = 0;

  constructor(name: string, program: Program, states: StorageStates, borders: Borders) {
    this.name = name;
    this.#program = program;
    this.#states = states;
    this.#borders = borders;
  }

  get nodes(): number {
    return this.#nodes;
  }

  async root(): Promise<ProcessNode> {
    return this.#phaseRoot(0, "");
  }

  /** The node after `pending[index]` was answered; undefined when it has not been computed. */
  known(node: ProcessNode, index: number, answer: Answer): ProcessNode | undefined {
    return node.children.get(`${index} ${answer.name}`);
  }

  async advance(node: ProcessNode, index: number, answer: Answer): Promise<ProcessNode> {
    const run = this.#unpark(node) ?? (await this.#replay(node));
    await run.answer(index, answer);
    const child = await this.#arrive(run, node.phase, { node, index, answer });
    node.children.set(`${index} ${answer.name}`, child);
    return child;
  }

  /** Where a run stands now; when its phase has ended, the start of the next one. */
  async #arrive(run: Run, phase: ProcessNode["phase"], from: Arrival | undefined): Promise<ProcessNode> {
    const { outcome } = run;
    const isLast = phase.number === this.#program.phases.length - 1;
    if (outcome !== undefined && "result" in outcome && !isLast) {
      return this.#phaseRoot(phase.number + 1, outcome.result);
    }
    const meeting = this.#meetingOf(run, phase, from);
    const known = meeting === null ? undefined : this.#meetings.get(meeting);
    if (known !== undefined) {
      this.#assertNoCircle(known, from);
      if (from !== undefined) this.#forgotten.push({ node: known, from });
      return known;
    }
    const node = this.#park(run, phase, from);
    if (meeting !== null) this.#meetings.set(meeting, node);
    return node;
  }

  #assertNoCircle(known: ProcessNode, from: Arrival | undefined): void {
    for (let at = from; at !== undefined; at = at.node.from) {
      assert.ok(at.node !== known, `${this.name} forgets twice on one way, before ${known.pending[0]?.key}`);
    }
  }

  #meetingOf({ operations }: Run, { number, input }: ProcessNode["phase"], from: Arrival | undefined): string | null {
    const [only] = operations;
    if (only === undefined || operations.length > 1 || (only.part?.from ?? "") !== "") return null;
    const matters = this.#program.forgetsBefore?.(only, () => pastOf(from)) ?? null;
    return matters === null ? null : `${number} ${input} ${only.kind} ${only.key} ${only.content} ${matters}`;
  }

  /** Goes some of the forgotten ways to their end and compares: the program must do the same on each. */
  async checkForgetting(most: number): Promise<number> {
    const every = Math.max(1, Math.floor(this.#forgotten.length / most));
    const chosen = this.#forgotten.filter((_, i) => i % every === 0);
    for (const { node, from } of chosen) {
      const run = await this.#replay(from.node);
      await run.answer(from.index, from.answer);
      let at: ProcessNode | undefined = node;
      while (at !== undefined && at.phase === node.phase) {
        this.#assertSame(at, run);
        const next: ProcessNode | undefined = [...at.children.values()].find((child) => child.from?.node === at);
        if (next?.from !== undefined) await run.answer(next.from.index, next.from.answer);
        at = next;
      }
    }
    return chosen.length;
  }

  #phaseRoot(number: number, input: string): Promise<ProcessNode> {
    const key = `${number} ${input}`;
    let root = this.#phases.get(key);
    if (root === undefined) {
      const phase = { number, input };
      root = this.#start(phase).then((run) => this.#arrive(run, phase, undefined));
      this.#phases.set(key, root);
    }
    return root;
  }

  async #start({ number, input }: ProcessNode["phase"]): Promise<Run> {
    const run = new Run(this.#states, this.#borders);
    await run.start(this.#program.phases[number]!, input);
    return run;
  }

  async #replay(node: ProcessNode): Promise<Run> {
    const path: Arrival[] = [];
    for (let at = node.from; at !== undefined; at = at.node.from) path.unshift(at);
    const run = await this.#start(node.phase);
    for (const { node: before, index, answer } of path) {
      this.#assertSame(before, run);
      await run.answer(index, answer);
    }
    this.#assertSame(node, run);
    return run;
  }

  #assertSame(node: ProcessNode, run: Run): void {
    assert.deepEqual(run.operations, node.pending, `${this.name} did something else when it was run again`);
  }

  #park(run: Run, phase: ProcessNode["phase"], from: Arrival | undefined): ProcessNode {
    const { operations: pending, outcome } = run;
    const node: ProcessNode = { number: this.#nodes++, pending, outcome, children: new Map(), from, phase };
    if (outcome === undefined) this.#parked.set(node, run);
    for (const oldest of this.#parked.keys()) {
      if (this.#parked.size <= PARKED_RUNS) break;
      this.#parked.delete(oldest);
    }
    return node;
  }

  #unpark(node: ProcessNode): Run | undefined {
    const run = this.#parked.get(node);
    this.#parked.delete(node);
    return run;
  }
}

function* pastOf(from: Arrival | undefined): Iterable<{ operation: Operation; answer: Answer }> {
  for (let at = from; at !== undefined; at = at.node.from) {
    yield { operation: at.node.pending[at.index]!, answer: at.answer };
  }
}

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Turns of the event loop after which a process that neither asks nor ends is reported. */
const MOST_TURNS = 1000;

class Run implements Backend {
  readonly location = "model:";
  outcome: Outcome | undefined;
  readonly #states: StorageStates;
  readonly #borders: Borders;
  #waiting: Waiting[] = [];

  constructor(states: StorageStates, borders: Borders) {
    this.#states = states;
    this.#borders = borders;
  }

  get operations(): Operation[] {
    return this.#waiting.map(({ operation }) => operation);
  }

  async start(phase: Phase, input: string): Promise<void> {
    phase(this, input).then(
      (result) => {
        this.outcome = { result };
      },
      (error: unknown) => {
        this.outcome = { error };
      },
    );
    await this.#settle();
  }

  async answer(index: number, answer: Answer): Promise<void> {
    const [waiting] = this.#waiting.splice(index, 1);
    if ("error" in answer) waiting!.reject(answer.error);
    else waiting!.resolve(answer.value instanceof Uint8Array ? answer.value.slice() : answer.value);
    await this.#settle();
  }

  /** The code uses promises only: when the event loop turns, everything that could run has run. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#waiting.length > 0 || this.outcome !== undefined) return;
    }
    assert.fail("neither waiting for storage nor finished (timers or real input and output inside?)");
  }

  #ask<T>(operation: Operation): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ operation, resolve, reject });
    }) as Promise<T>;
  }

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#ask({ kind: "get", key, content: NO_CONTENT, range: options.range });
  }

  stat(key: string): Promise<ObjectInfo> {
    return this.#ask({ kind: "stat", key, content: NO_CONTENT });
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#ask({ kind: "put", key, content: this.#states.intern(bytes) });
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    return this.#ask({ kind: "putIfAbsent", key, content: this.#states.intern(bytes) });
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const operation = { kind: "list", key: prefix, content: NO_CONTENT } as const;
    const borders = this.#borders(prefix);
    if (borders.length === 0) return yield* await this.#ask<ObjectInfo[]>(operation);
    for (const [i, to] of [...borders, LAST_NAME].entries()) {
      yield* await this.#ask<ObjectInfo[]>({ ...operation, part: { from: borders[i - 1] ?? "", to } });
    }
  }

  delete(key: string): Promise<void> {
    return this.#ask({ kind: "delete", key, content: NO_CONTENT });
  }

  async close(): Promise<void> {}
}
