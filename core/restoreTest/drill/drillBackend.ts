// A storage as it would be after something was lost in it. Reads come from the real one, with what was destroyed changed on the
// way; whatever is written stays in memory and is forgotten. The real storage is never written to.

import { isOurError } from "../../errors.js";
import type { Backend, ByteRange, GetOptions, ObjectInfo, OperationOptions, Traffic } from "../../storage/backend.js";
import { MemoryBackend } from "../../storage/memoryBackend.js";

/** Each destroyed byte differs from what it was. */
const DAMAGE = 0x5a;

export class DrillBackend implements Backend {
  readonly location: string;
  readonly parallelReads: number | undefined;
  readonly #real: Backend;
  readonly #written = new MemoryBackend();
  readonly #writtenKeys = new Set<string>();
  readonly #deletedKeys = new Set<string>();
  readonly #destroyed = new Map<string, ByteRange[]>();

  constructor(real: Backend) {
    this.#real = real;
    this.location = real.location;
    this.parallelReads = real.parallelReads;
  }

  /** From now on these bytes read as others; `offset` from the start of the object. */
  destroy(key: string, range: ByteRange): void {
    this.#destroyed.set(key, [...(this.#destroyed.get(key) ?? []), range]);
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    if (this.#isOurs(key)) return await this.#written.get(key, options);
    const bytes = await this.#real.get(key, options);
    const destroyed = this.#destroyed.get(key);
    if (destroyed === undefined) return bytes;
    const asked = options.range?.offset ?? 0;
    const start = asked >= 0 ? asked : (await this.#real.stat(key, options)).sizeBytes + asked;
    for (const { offset, length } of destroyed) {
      const from = Math.max(0, offset - start);
      const to = Math.min(bytes.length, offset + length - start);
      for (let at = from; at < to; at++) bytes[at] = (bytes[at] as number) ^ DAMAGE;
    }
    return bytes;
  }

  async stat(key: string, options?: OperationOptions): Promise<ObjectInfo> {
    return await (this.#isOurs(key) ? this.#written : this.#real).stat(key, options);
  }

  async put(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<void> {
    await this.#written.put(key, bytes, options);
    this.#writtenKeys.add(key);
    this.#deletedKeys.delete(key);
  }

  async putIfAbsent(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<"created" | "exists"> {
    if (!this.#isOurs(key) && (await this.#isReal(key, options))) return "exists";
    const outcome = await this.#written.putIfAbsent(key, bytes, options);
    this.#writtenKeys.add(key);
    this.#deletedKeys.delete(key);
    return outcome;
  }

  async *list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    const own: ObjectInfo[] = [];
    for await (const info of this.#written.list(prefix, options)) own.push(info);
    for await (const info of this.#real.list(prefix, options)) {
      if (this.#isOurs(info.key)) continue;
      while (own[0] !== undefined && own[0].key < info.key) yield own.shift() as ObjectInfo;
      yield info;
    }
    for (const info of own) {
      options?.signal?.throwIfAborted();
      yield info;
    }
  }

  async delete(key: string, options?: OperationOptions): Promise<void> {
    await this.#written.delete(key, options);
    this.#writtenKeys.delete(key);
    this.#deletedKeys.add(key);
  }

  traffic(): Traffic {
    return this.#real.traffic?.() ?? { requests: {}, bytesUp: 0, bytesDown: 0, retries: 0 };
  }

  /** The real one stays open: it belongs to somebody else. */
  async close(): Promise<void> {
    await this.#written.close();
  }

  async #isReal(key: string, options?: OperationOptions): Promise<boolean> {
    try {
      await this.#real.stat(key, options);
      return true;
    } catch (error) {
      if (isOurError(error, "OBJECT_NOT_FOUND")) return false;
      throw error;
    }
  }

  #isOurs(key: string): boolean {
    return this.#writtenKeys.has(key) || this.#deletedKeys.has(key);
  }
}
