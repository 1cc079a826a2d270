// What the repository needs from a place that stores named objects. Nothing here assumes a file system: S3 and SFTP
// implement the same interface, and test/conformance/backend.ts is its executable contract.

export interface ObjectInfo {
  /** Full object name, e.g. `packs/0a/<sid>-0000000a`. Parts: `A–Z a–z 0–9 _ . -`, joined by `/`. */
  key: string;
  sizeBytes: number;
  /** The storage's own clock, milliseconds since 1970. Compare only with other values from the same backend. */
  modifiedAtMs: number;
}

export interface ByteRange {
  /** From the start of the object; negative: from its end (`-32` is the last 32 bytes; `length` is then ignored). */
  offset: number;
  /** Bytes wanted. A range that ends after the object is an error, never a short answer. */
  length: number;
}

export interface OperationOptions {
  /** Checked before the operation; an operation under way may still take effect. */
  signal?: AbortSignal;
}

export interface GetOptions extends OperationOptions {
  /** Absent: the whole object. */
  range?: ByteRange;
  /**
   * Memory to read into, given away: when it is large enough the answer is a view of its start, in a worker thread perhaps through
   * another buffer. Fresh memory is dear.
   */
  into?: Uint8Array;
}

/** A storage that does not answer, or refuses for now, is asked again. Told once for a trouble that lasts. */
export interface StorageRetry {
  /** The server: an endpoint, or a location without secrets. */
  storage: string;
  /** Why the last try failed, in the words of the system or of the server. */
  reason: string;
  /** How long, counted from the first failure, tries go on. */
  patienceMs: number;
}

/** What went over a network so far, in requests as they were sent: repeated ones count again. */
export interface Traffic {
  /** By the storage's own word: `GET`, `PUT`, `LIST` … */
  requests: Record<string, number>;
  /** Contents of objects; no headers. */
  bytesUp: number;
  bytesDown: number;
  /** Requests that were sent again. */
  retries: number;
}

export interface StorageProtection {
  /**
   * "on": what is overwritten or deleted stays as an older version, and the first one counts for names that are written once.
   * "unknown": the credentials may not ask.
   */
  versioning: "on" | "off" | "unknown";
  /** Days for which a new object cannot be removed; null: no such rule, or not known. */
  objectLockDays: number | null;
  /** Prefixes below which older versions are removed after a time; absent or empty as well when that is not known. */
  versionsExpire?: string[];
}

/** One of several contents that a name has had. */
export interface ObjectVersion extends ObjectInfo {
  versionId: string;
  /** Equal for equal contents; different ones may still be equal. */
  contentsTag: string;
  /** The newest; false for all when the object was deleted. */
  isLatest: boolean;
}

/**
 * A flat, strongly consistent map from names to immutable byte strings. Names have at most 512 characters, do not start
 * with `tmp/`, and no name is a folder of another one (`a` and `a/b`: a local folder cannot hold both). An object has at
 * most 256 MiB.
 *
 * Errors (family `backend`, `not-found`, or `corrupt` for OBJECT_TOO_LARGE): `OBJECT_NOT_FOUND` (get, stat), `OBJECT_RANGE` (range outside the object),
 * `STORAGE_FULL`, `STORAGE_READ_ONLY`, `STORAGE_ACCESS_DENIED`, `STORAGE_UNREACHABLE`, `STORAGE_FAILED` (anything else; `data.key`, `data.operation`, and `cause`),
 * `STORAGE_KEY_INVALID`, `OBJECT_TOO_LARGE`, `STORAGE_SYMLINK` (local), `PUT_IF_ABSENT_UNSUPPORTED` (putIfAbsent).
 * After an error of put or putIfAbsent the object may or may not exist, but never with partial contents.
 */
export interface Backend {
  /** For messages: no credentials in it. */
  readonly location: string;

  /** The whole object, or exactly the given range of it, in a buffer that the caller owns. */
  get(key: string, options?: GetOptions): Promise<Uint8Array>;

  /** Size and time of one object. */
  stat(key: string, options?: OperationOptions): Promise<ObjectInfo>;

  /**
   * Stores `bytes` under `key`, replacing what was there. Durable when it resolves (flushed to the medium), and atomic:
   * readers see the old contents or all of the new ones; in a storage with versions nothing for a moment, when a name that is
   * not in putAgain.ts is replaced. The buffer is not kept after the promise settles.
   */
  put(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<void>;

  /**
   * Stores `bytes` unless the name is taken. Among any number of concurrent callers exactly one gets "created".
   * Same durability and atomicity as put. After a thrown error the outcome is unknown: call again and, on "exists", get.
   */
  putIfAbsent(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<"created" | "exists">;

  /**
   * Every object whose key starts with `prefix` (a folder path with a final `/`, or empty), in ascending order of key
   * (UTF-16 code units). Sees every put that finished before the call and no delete that did.
   */
  list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo>;

  /** Removes the object; succeeds when it is already gone. */
  delete(key: string, options?: OperationOptions): Promise<void>;

  /** Removes all of them, some perhaps although it throws; one that is already gone is no error. See deleteAll. */
  deleteMany?(keys: readonly string[], options?: OperationOptions): Promise<void>;

  /** Reads that one reader should have under way at once because each takes long to begin. Absent: 1. */
  readonly parallelReads?: number;

  /** Absent: not counted. */
  traffic?(): Traffic;

  /** What keeps stored objects from being lost when somebody overwrites or deletes them. Absent: nothing known. */
  protection?(options?: OperationOptions): Promise<StorageProtection>;

  /**
   * Object lock: keeps the version that counts from being removed until `untilMs`, when it is locked for less long than until
   * `whenLessThanMs`. "kept": it is locked for long enough, or not at all.
   */
  lockUntil?(
    key: string,
    times: { untilMs: number; whenLessThanMs: number },
    options?: OperationOptions,
  ): Promise<"extended" | "kept">;

  /** Every version of every object below `prefix`, keys in order, newest first. Absent: the storage keeps none. */
  versions?(prefix: string, options?: OperationOptions): AsyncIterable<ObjectVersion>;

  /** The whole of one version. */
  getVersion?(key: string, versionId: string, options?: OperationOptions): Promise<Uint8Array>;

  /** Frees connections and handles. May be called twice. */
  close(): Promise<void>;
}

/** Every member, also the optional ones: what a wrapper of a backend has to pass on. */
export type WholeBackend = { readonly [Member in keyof Required<Backend>]: Backend[Member] };

/** What reading the contents of packs takes. */
export type ObjectReader = Pick<Backend, "get" | "stat" | "parallelReads" | "close">;
