// From what a user writes to a backend: a path, a `file:`, `s3:` or other URL, or `memory:NAME`.

import { fileURLToPath } from "node:url";
import { RepriseError } from "../errors.js";
import type { Backend, StorageRetry } from "./backend.js";
import { openLocalBackend } from "./localBackend.js";
import { MemoryBackend } from "./memoryBackend.js";
import type { S3BucketOptions, S3BucketReport } from "./s3/s3Bucket.js";
import type { S3Credentials } from "./s3/s3Connection.js";

export interface OpenBackendOptions {
  /** Make the folder when it does not exist (`init`). Default: false. */
  create?: boolean;
  /** For an `s3:` location; default: the AWS SDK's chain (environment, profile, role …). */
  s3Credentials?: S3Credentials;
  /** Ends the connecting; what is opened is not bound to it. */
  signal?: AbortSignal;
  /** Behind a network; also later, during operations. */
  onRetry?: (retry: StorageRetry) => void;
}

// Two letters at least: `C:\` is a path.
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;

/** Contents of the `memory:NAME` locations of this process. */
const memories = new Map<string, MemoryBackend>();

/**
 * Opens a storage location. Throws `STORAGE_SCHEME_UNSUPPORTED` (unsupported) for schemes it does not know,
 * `STORAGE_LOCATION_INVALID` (usage) for one that makes no sense, and what openLocalBackend throws. The bucket of an `s3:`
 * location is first asked by the first operation. Aborted, it leaves no connection open.
 */
export async function openBackend(location: string, options: OpenBackendOptions = {}): Promise<Backend> {
  const scheme = SCHEME.exec(location)?.[1]?.toLowerCase();
  options.signal?.throwIfAborted();
  switch (scheme) {
    case undefined:
      if (location === "" || location.includes("\0")) throw invalidLocation("a storage location is a path or a URL");
      return await openLocalBackend(location, options);
    case "file":
      return await openLocalBackend(pathOfUrl(location), options);
    case "memory":
      return openMemory(location);
    case "sftp": {
      const { openSftpBackend } = await import("./sftp/openSftpBackend.js");
      return await openSftpBackend(location, options);
    }
    case "s3": {
      const { openS3Backend } = await import("./s3/s3Backend.js");
      return await openS3Backend(location, { ...options, credentials: options.s3Credentials });
    }
    default:
      throw unsupportedScheme(scheme);
  }
}

/**
 * Makes the bucket of an `s3:` location, with versioning where that keeps put-if-absent working. Throws
 * what createS3Bucket throws, and `STORAGE_LOCATION_INVALID` for a location that has no bucket.
 */
export async function createBucket(location: string, options: S3BucketOptions): Promise<S3BucketReport> {
  if (SCHEME.exec(location)?.[1]?.toLowerCase() !== "s3") throw invalidLocation("only an s3: location has a bucket");
  const { createS3Bucket } = await import("./s3/s3Bucket.js");
  return await createS3Bucket(location, options);
}

/** The folder of a repository on this machine's file systems; null for all others. */
export function localFolderOf(backend: Backend): string | null {
  const { localFolder } = backend as { localFolder?: unknown };
  return typeof localFolder === "string" ? localFolder : null;
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
  const hint = "use a path (write ./ in front of a relative one that holds a colon), file:, s3: or sftp:";
  return new RepriseError("unsupported", "STORAGE_SCHEME_UNSUPPORTED", `storage scheme ${scheme}: is not supported`, {
    data: { scheme },
    hint,
  });
}
