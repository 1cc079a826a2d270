// A storage during whose use something else happens, once: before the nth operation.

import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { RecordingBackend } from "./recordingBackend.js";

/** Calls `before` once, just before the nth operation that is not the probe's. */
export class InterruptedBackend extends RecordingBackend {
  #left: number;
  readonly #before: () => Promise<void>;

  constructor(inner: MemoryBackend, nth: number, before: () => Promise<void>) {
    super(inner);
    this.#left = nth;
    this.#before = before;
  }

  async #count(key: string): Promise<void> {
    if (!key.startsWith("probe/") && --this.#left === 0) await this.#before();
  }

  override async get(...args: Parameters<RecordingBackend["get"]>) {
    await this.#count(args[0]);
    return super.get(...args);
  }

  override async stat(...args: Parameters<RecordingBackend["stat"]>) {
    await this.#count(args[0]);
    return super.stat(...args);
  }

  override async put(...args: Parameters<RecordingBackend["put"]>) {
    await this.#count(args[0]);
    return super.put(...args);
  }

  override async putIfAbsent(...args: Parameters<RecordingBackend["putIfAbsent"]>) {
    await this.#count(args[0]);
    return super.putIfAbsent(...args);
  }

  override async *list(...args: Parameters<RecordingBackend["list"]>) {
    await this.#count(args[0]);
    yield* super.list(...args);
  }

  override async delete(...args: Parameters<RecordingBackend["delete"]>) {
    await this.#count(args[0]);
    return super.delete(...args);
  }
}
