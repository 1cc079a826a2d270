// A backend that counts what is read through it: each get, stat and listing, and the bytes that came.

import type { Backend, GetOptions, OperationOptions } from "../../core/storage/backend.js";

export interface ReadCount {
  reads: number;
  bytes: number;
}

/** Readers only: it takes no writes. */
export function countReads(backend: Backend, count: ReadCount): Backend {
  const refuse = () => Promise.reject(new Error("this backend is for reading"));
  return {
    location: backend.location,
    async get(key: string, options?: GetOptions) {
      count.reads++;
      const bytes = await backend.get(key, options);
      count.bytes += bytes.length;
      return bytes;
    },
    stat(key: string, options?: OperationOptions) {
      count.reads++;
      return backend.stat(key, options);
    },
    list(prefix: string, options?: OperationOptions) {
      count.reads++;
      return backend.list(prefix, options);
    },
    put: refuse,
    putIfAbsent: refuse,
    delete: refuse,
    close: () => backend.close(),
  };
}
