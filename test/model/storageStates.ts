// Storage as immutable states, each kept once: applying an operation to a state gives the next state and the answer. The
// semantics are those of a linearizable backend (core/storage/backend.ts); listings come in one piece.

import { createHash } from "node:crypto";
import type { ByteRange, ObjectInfo } from "../../core/storage/backend.js";
import type { MemoryState } from "../../core/storage/memoryBackend.js";
import { objectNotFound, resolveRange } from "../../core/storage/objectBytes.js";

export type OperationKind = "get" | "stat" | "put" | "putIfAbsent" | "list" | "delete";

export interface Operation {
  readonly kind: OperationKind;
  /** For list: the prefix. */
  readonly key: string;
  /** For put and putIfAbsent: number of the contents. */
  readonly content: number;
  readonly range?: ByteRange;
  /** For list: only the names from `from` (included) to `to` (not included). */
  readonly part?: { from: string; to: string };
}

/** Contents by number; for operations that store nothing. */
export const NO_CONTENT = -1;

/** `name` is equal exactly when the answers are. */
export type Answer = { name: string; value: unknown } | { name: string; error: unknown };

/** Every name is below this one. */
export const LAST_NAME = "~";
const WHOLE = { from: "", to: LAST_NAME };

export interface StorageState {
  readonly number: number;
  /** Object name to number of its contents. */
  readonly objects: ReadonlyMap<string, number>;
}

/** The storage's clock stands still: time is liveness only, and the tests choose who is fenced by other means. */
const TIME_MS = Date.UTC(2026, 0, 1);

export class StorageStates {
  readonly #contents: Uint8Array[] = [];
  readonly #contentNumbers = new Map<string, number>();
  readonly #states = new Map<string, StorageState>();
  readonly #changes = new Map<string, StorageState>();

  /** Number of these contents; equal bytes have equal numbers. */
  intern(bytes: Uint8Array): number {
    const digest = createHash("sha256").update(bytes).digest("base64");
    let number = this.#contentNumbers.get(digest);
    if (number === undefined) {
      number = this.#contents.length;
      this.#contents.push(new Uint8Array(bytes));
      this.#contentNumbers.set(digest, number);
    }
    return number;
  }

  bytesOf(content: number): Uint8Array {
    return this.#contents[content]!;
  }

  get count(): number {
    return this.#states.size;
  }

  fromMemory(memory: MemoryState): StorageState {
    return this.#stateOf(new Map([...memory].map(([key, { bytes }]) => [key, this.intern(bytes)])));
  }

  /** The state after the operation. */
  after(state: StorageState, { kind, key, content }: Operation): StorageState {
    const present = state.objects.get(key);
    if (kind === "put") return present === content ? state : this.#changed(state, key, content);
    if (kind === "putIfAbsent") return present === undefined ? this.#changed(state, key, content) : state;
    if (kind === "delete") return present === undefined ? state : this.#changed(state, key, NO_CONTENT);
    return state;
  }

  /** What the operation answers when it meets the state. */
  answer(state: StorageState, operation: Operation): Answer {
    const { kind, key } = operation;
    if (kind === "list") return this.#list(state, key, operation.part);
    const content = state.objects.get(key);
    if (kind === "put" || kind === "delete") return DONE;
    if (kind === "putIfAbsent") return content === undefined ? CREATED : EXISTS;
    if (content === undefined) return { name: "OBJECT_NOT_FOUND", error: objectNotFound(key) };
    const bytes = this.bytesOf(content);
    if (kind === "stat") return { name: `${bytes.length}`, value: infoOf(key, bytes.length) };
    return get(key, bytes, content, operation.range);
  }

  #list(state: StorageState, prefix: string, { from, to } = WHOLE): Answer {
    const keys = [...state.objects.keys()].filter((key) => key.startsWith(prefix) && key >= from && key < to).sort();
    const infos = keys.map((key) => infoOf(key, this.bytesOf(state.objects.get(key)!).length));
    return { name: infos.map(({ key, sizeBytes }) => `${key.slice(prefix.length)}:${sizeBytes}`).join(), value: infos };
  }

  #changed(state: StorageState, key: string, content: number): StorageState {
    const change = `${state.number} ${key} ${content}`;
    let changed = this.#changes.get(change);
    if (changed === undefined) {
      const objects = new Map(state.objects);
      if (content === NO_CONTENT) objects.delete(key);
      else objects.set(key, content);
      changed = this.#stateOf(objects);
      this.#changes.set(change, changed);
    }
    return changed;
  }

  #stateOf(objects: Map<string, number>): StorageState {
    const name = [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).join(" ");
    let state = this.#states.get(name);
    if (state === undefined) {
      state = { number: this.#states.size, objects };
      this.#states.set(name, state);
    }
    return state;
  }
}

const DONE: Answer = { name: "done", value: undefined };
const CREATED: Answer = { name: "created", value: "created" };
const EXISTS: Answer = { name: "exists", value: "exists" };

function get(key: string, bytes: Uint8Array, content: number, range: ByteRange | undefined): Answer {
  try {
    const { offset, length } = resolveRange(key, bytes.length, range);
    return { name: `#${content}`, value: bytes.slice(offset, offset + length) };
  } catch (error) {
    return { name: "OBJECT_RANGE", error };
  }
}

function infoOf(key: string, sizeBytes: number): ObjectInfo {
  return { key, sizeBytes, modifiedAtMs: TIME_MS };
}

export function changesStorage({ kind }: Operation): boolean {
  return kind === "put" || kind === "putIfAbsent" || kind === "delete";
}
