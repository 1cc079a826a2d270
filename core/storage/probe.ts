// Tries whether a storage keeps the promises that deleting relies on (docs/protocol.md): at `init`, and before every
// collection. No proof, no deletion: backups go on with a storage that fails, collections do not.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import type { Backend, OperationOptions } from "./backend.js";

export interface ProbeCheck {
  name: ProbeCheckName;
  ok: boolean;
  /** What was seen, one sentence. */
  detail: string;
  /** The storage's error, when it was not a promise that failed but the storage. */
  error?: RepriseError;
}

export type ProbeCheckName =
  | "put-if-absent"
  | "put-if-absent-race"
  | "list-after-put"
  | "get-after-put"
  | "get-after-overwrite"
  | "range"
  | "list-after-delete";

export interface ProbeResult {
  /** True when every check is. */
  ok: boolean;
  checks: ProbeCheck[];
}

/** What a check saw: undefined when the promise was kept, else what was wrong. */
type Fault = string | undefined;

const RACERS = 8;

/**
 * Runs every check on objects named `probe/<randomHex>-…` and removes them. An error of the storage is a failed check, so this
 * throws only when `signal` aborts (the objects are removed all the same, as far as that works) or when `randomHex` is
 * not 16 to 64 hex digits; it must be fresh, because names are never used twice.
 */
export async function probeBackend(
  backend: Backend,
  randomHex: string,
  options: OperationOptions = {},
): Promise<ProbeResult> {
  if (!/^[0-9a-f]{16,64}$/.test(randomHex)) {
    throw new RepriseError("invariant", "PROBE_NAME_INVALID", "a probe needs 16 to 64 random hex digits");
  }
  const probe = new Probe(backend, `probe/${randomHex}-`, options);
  try {
    const checks = [
      await probe.check("put-if-absent", () => probe.putIfAbsentTwice()),
      await probe.check("put-if-absent-race", () => probe.race()),
      await probe.check("list-after-put", () => probe.listAfterPut()),
      await probe.check("get-after-put", () => probe.getAfterPut()),
      await probe.check("get-after-overwrite", () => probe.getAfterOverwrite()),
      await probe.check("range", () => probe.ranges()),
      await probe.check("list-after-delete", () => probe.listAfterDelete()),
    ];
    return { ok: checks.every(({ ok }) => ok), checks };
  } finally {
    await probe.cleanUp();
  }
}

class Probe {
  readonly #backend: Backend;
  readonly #prefix: string;
  readonly #options: OperationOptions;
  readonly #keys = new Set<string>();

  constructor(backend: Backend, prefix: string, options: OperationOptions) {
    this.#backend = backend;
    this.#prefix = prefix;
    this.#options = options;
  }

  async check(name: ProbeCheckName, run: () => Promise<Fault>): Promise<ProbeCheck> {
    this.#options.signal?.throwIfAborted();
    try {
      const fault = await run();
      return { name, ok: fault === undefined, detail: fault ?? "as promised" };
    } catch (error) {
      if (isAbort(error) || this.#options.signal?.aborted) throw error;
      if (isOurError(error)) return { name, ok: false, detail: error.message, error };
      return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
    }
  }

  async putIfAbsentTwice(): Promise<Fault> {
    const key = this.#key("once");
    const first = await this.#backend.putIfAbsent(key, content("first"), this.#options);
    if (first !== "created") return "the first conditional put of a new name was refused";
    const second = await this.#backend.putIfAbsent(key, content("second, longer"), this.#options);
    if (second !== "exists") return "a second conditional put of the same name was accepted";
    return await this.#expect(key, content("first"), "a refused conditional put changed the object");
  }

  async race(): Promise<Fault> {
    const key = this.#key("race");
    const contents = Array.from({ length: RACERS }, (_, racer) => content(`racer ${racer} `.repeat(100 + racer)));
    // Wait for all: one that is still under way must not write after the clean-up.
    const settled = await Promise.allSettled(
      contents.map((bytes) => this.#backend.putIfAbsent(key, bytes, this.#options)),
    );
    const refused = settled.find((result) => result.status === "rejected");
    if (refused !== undefined) throw refused.reason;
    const winners = contents.filter((_, racer) => {
      const result = settled[racer]!;
      return result.status === "fulfilled" && result.value === "created";
    });
    if (winners.length !== 1) return `${winners.length} of ${RACERS} concurrent conditional puts were accepted`;
    return await this.#expect(key, winners[0]!, "the object is not what the winner of a race wrote");
  }

  async listAfterPut(): Promise<Fault> {
    const key = this.#key("listed");
    const bytes = content("listed with its exact size");
    await this.#backend.put(key, bytes, this.#options);
    const sizeBytes = await this.#listedSize(key);
    if (sizeBytes === undefined) return "a listing does not show an object that was just put";
    if (sizeBytes !== bytes.length) return `a listing gives ${sizeBytes} bytes for an object of ${bytes.length}`;
    return undefined;
  }

  async getAfterPut(): Promise<Fault> {
    const key = this.#key("read");
    await this.#backend.put(key, content("read"), this.#options);
    return await this.#expect(key, content("read"), "get does not return what was just put");
  }

  async getAfterOverwrite(): Promise<Fault> {
    const key = this.#key("overwritten");
    await this.#backend.put(key, content("before"), this.#options);
    await this.#backend.put(key, content("after, longer"), this.#options);
    return await this.#expect(key, content("after, longer"), "get does not return what a second put wrote");
  }

  async ranges(): Promise<Fault> {
    const key = this.#key("range");
    const bytes = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) % 251);
    await this.#backend.put(key, bytes, this.#options);
    const middle = await this.#backend.get(key, { ...this.#options, range: { offset: 100, length: 50 } });
    if (!sameBytes(middle, bytes.subarray(100, 150))) return "a range in the middle of an object has wrong bytes";
    const tail = await this.#backend.get(key, { ...this.#options, range: { offset: -32, length: 32 } });
    if (!sameBytes(tail, bytes.subarray(268))) return "a range from the end of an object has wrong bytes";
    return undefined;
  }

  async listAfterDelete(): Promise<Fault> {
    const key = this.#key("deleted");
    await this.#backend.put(key, content("deleted"), this.#options);
    await this.#backend.delete(key, this.#options);
    if ((await this.#listedSize(key)) !== undefined) return "a listing shows an object that was just deleted";
    return undefined;
  }

  /** Without the signal: what was made is removed after an abort, too. Failures are for listAfterDelete to report. */
  async cleanUp(): Promise<void> {
    await Promise.allSettled([...this.#keys].map((key) => this.#backend.delete(key)));
  }

  #key(name: string): string {
    const key = this.#prefix + name;
    this.#keys.add(key);
    return key;
  }

  async #expect(key: string, expected: Uint8Array, fault: string): Promise<Fault> {
    const actual = await this.#backend.get(key, this.#options);
    return sameBytes(actual, expected) ? undefined : fault;
  }

  async #listedSize(key: string): Promise<number | undefined> {
    for await (const info of this.#backend.list("probe/", this.#options)) {
      if (info.key === key) return info.sizeBytes;
    }
    return undefined;
  }
}

function content(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
