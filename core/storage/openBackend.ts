// From what a user writes to a backend: a path, a `file:` URL, or `memory:NAME`. And back: what a worker thread needs to
// open the same storage.

import { fileURLToPath } from "node:url";
import { RepriseError } from "../errors.js";
import type { Backend } from "./backend.js";
import { openLocalBackend } from "./localBackend.js";
import { MemoryBackend } from "./memoryBackend.js";

export interface OpenBackendOptions {
  /** Make the folder when it does not exist (`init`). Default: false. */
  create?: boolean;
}

// Two letters at least: `C:\` is a path.
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;

/** Contents of the `memory:NAME` locations of this process. */
const memories = new Map<string, MemoryBackend>();

/**
 * Opens a storage location. Throws `STORAGE_SCHEME_UNSUPPORTED` (unsupported) for other schemes than `file:` and `memory:`,
 * `STORAGE_LOCATION_INVALID` (usage) for one that makes no sense, and what openLocalBackend throws.
 */
export async function openBackend(location: string, options: OpenBackendOptions = {}): Promise<Backend> {
  const scheme = SCHEME.exec(location)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      if (location === "" || location.includes("\0")) throw invalidLocation("a storage location is a path or a URL");
      return await openLocalBackend(location, options);
    case "file":
      return await openLocalBackend(pathOfUrl(location), options);
    case "memory":
      return openMemory(location);
    default:
      throw unsupportedScheme(scheme);
  }
}

/**
 * What openBackend needs in a worker thread of this process to open the same storage, or null when it cannot: contents in
 * memory belong to one thread, and a wrapper (a bandwidth limit, a recorder) must see every operation. With null the work
 * stays on the thread that holds the backend.
 */
export function workerLocation(backend: Backend): string | null {
  const { workerLocation: location } = backend as { workerLocation?: unknown };
  return typeof location === "string" ? location : null;
}

function pathOfUrl(location: string): string {
  try {
    return fileURLToPath(location);
  } catch (cause) {
    throw invalidLocation("a file URL looks like file:///folder/folder", cause);
  }
}

function openMemory(location: string): Backend {
  const name = location.slice("memory:".length);
  if (name === "") throw invalidLocation("a memory location needs a name, as in memory:test");
  let backend = memories.get(name);
  if (backend === undefined) {
    backend = new MemoryBackend({ location });
    memories.set(name, backend);
  }
  return backend;
}

// The location itself is not repeated in these messages: a URL may hold a password.

function invalidLocation(message: string, cause?: unknown): RepriseError {
  return new RepriseError("usage", "STORAGE_LOCATION_INVALID", message, { cause });
}

function unsupportedScheme(scheme: string): RepriseError {
  const planned = scheme === "s3" || scheme === "sftp";
  const hint = planned
    ? `${scheme}: comes with a later release; until then use a folder, for example on a mounted share`
    : "use a path (write ./ in front of a relative one that holds a colon), file: or memory:";
  return new RepriseError("unsupported", "STORAGE_SCHEME_UNSUPPORTED", `storage scheme ${scheme}: is not supported`, {
    data: { scheme },
    hint,
  });
}
