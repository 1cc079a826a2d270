// A backend that counts the requests an S3 storage would have got: listings come in pages of 1000.

import type { Backend, GetOptions, ObjectInfo, OperationOptions } from "../../core/storage/backend.js";

const PAGE = 1000;

export class RequestCount implements Backend {
  readonly location: string;
  readonly #inner: Backend;
  requests = 0;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.location = inner.location;
  }

  /** How many there were since the last call. */
  take(): number {
    const { requests } = this;
    this.requests = 0;
    return requests;
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    this.requests++;
    return this.#inner.get(key, options);
  }

  stat(key: string, options?: OperationOptions): Promise<ObjectInfo> {
    this.requests++;
    return this.#inner.stat(key, options);
  }

  put(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<void> {
    this.requests++;
    return this.#inner.put(key, bytes, options);
  }

  putIfAbsent(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<"created" | "exists"> {
    this.requests++;
    return this.#inner.putIfAbsent(key, bytes, options);
  }

  async *list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    this.requests++;
    let listed = 0;
    for await (const info of this.#inner.list(prefix, options)) {
      if (listed > 0 && listed % PAGE === 0) this.requests++;
      listed++;
      yield info;
    }
  }

  delete(key: string, options?: OperationOptions): Promise<void> {
    this.requests++;
    return this.#inner.delete(key, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
