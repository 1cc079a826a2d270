// A repository in an S3 bucket. Every object is one PUT, so it is whole or absent; a name is claimed with If-None-Match.
// docs/storage-s3.md says which requests each operation makes.

import { randomBytes } from "node:crypto";
import { isOurError, RepriseError } from "../../errors.js";
import type {
  Backend,
  ByteRange,
  GetOptions,
  ObjectInfo,
  ObjectVersion,
  OperationOptions,
  StorageProtection,
  Traffic,
} from "../backend.js";
import { checkObjectSize, MAX_OBJECT_BYTES, objectNotFound, resolveRange } from "../objectBytes.js";
import { checkKey, checkPrefix, isObjectKey } from "../objectKey.js";
import { FirstVersions } from "./firstVersions.js";
import { RequestGate } from "./requestGate.js";
import { type RetryRules, retrying } from "./retrying.js";
import { S3CallError } from "./s3CallError.js";
import {
  connectS3,
  type S3Client,
  type S3Credentials,
  type S3GetAnswer,
  type S3GetRequest,
  type S3ObjectFacts,
  type S3VersionMarker,
  type S3VersionPage,
} from "./s3Client.js";
import { isNotImplemented, isWorthRetrying, type S3Request, s3Failure } from "./s3Failure.js";
import { firstsOfS3, listS3, wholeSeconds } from "./s3List.js";
import { describeS3Location, formatS3Location, parseS3Location, type S3Location } from "./s3Location.js";
import { TrafficCount } from "./s3Traffic.js";

export interface S3BackendOptions {
  /** Default: the SDK's chain. */
  credentials?: S3Credentials;
  /** For tests. */
  retry?: Partial<RetryRules>;
}

/** A storage that has answered before is waited for; one that never has is more likely a wrong location. */
const PATIENCE_MS = 120_000;
const FIRST_PATIENCE_MS = 15_000;
const RETRY = { baseMs: 200, capMs: 10_000 };
/** Keys of one DeleteObjects. */
const DELETE_BATCH = 1000;
/** Reads that hide the latency of a network; each has its memory in whoever reads. */
const PARALLEL_READS = 4;
/** How often put may find that others have put before it. */
const REPLACE_TRIES = 5;

/** Sends nothing yet: the first operation says whether the bucket is there and the credentials are right. */
export async function openS3Backend(location: string, options: S3BackendOptions = {}): Promise<S3Backend> {
  const parsed = parseS3Location(location);
  return new S3Backend(parsed, await connectS3(parsed, options.credentials), options);
}

export class S3Backend implements Backend {
  readonly location: string;
  readonly workerLocation: string | null;
  readonly workerCredentials: S3Credentials | undefined;
  readonly parallelReads = PARALLEL_READS;
  readonly #place: S3Location;
  readonly #client: S3Client;
  readonly #gate: RequestGate;
  readonly #retry: RetryRules;
  readonly #traffic = new TrafficCount();
  readonly #firsts: FirstVersions;
  #hasAnswered = false;

  constructor(place: S3Location, client: S3Client, options: S3BackendOptions) {
    this.location = describeS3Location(place);
    // A limit on requests holds for the whole process only when one thread sends them all.
    this.workerLocation = place.requestsPerSecond === undefined ? formatS3Location(place) : null;
    this.workerCredentials = options.credentials;
    this.#place = place;
    this.#client = client;
    this.#gate = new RequestGate({ atOnce: place.connections, perSecond: place.requestsPerSecond });
    const patienceMs = () => (this.#hasAnswered ? PATIENCE_MS : FIRST_PATIENCE_MS);
    this.#retry = { ...RETRY, patienceMs, ...options.retry };
    this.#firsts = new FirstVersions({
      root: place.prefix,
      isVersioned: (rules) => this.#isVersioned(rules),
      page: (prefix, marker, atMost, rules) => {
        const request = this.#request("s3:ListBucketVersions", "versions", prefix.slice(place.prefix.length));
        const ask = (signal: AbortSignal | undefined) => client.versionPage(prefix, marker, signal, atMost);
        return this.#send("LIST", request, rules, ask);
      },
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const { range } = options;
    if (range === undefined) return (await this.#getWhole(key, options)).bytes;
    if (!isPlainRange(range)) {
      const { sizeBytes } = await this.#head("get", key, options);
      const { offset, length } = resolveRange(key, sizeBytes, range);
      if (length === 0) return new Uint8Array(0);
      return await this.#getRange(key, { offset, length }, options);
    }
    return await this.#getRange(key, range, options);
  }

  async stat(key: string, options: OperationOptions = {}): Promise<ObjectInfo> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const { sizeBytes, modifiedAtMs } = await this.#head("stat", key, options);
    return { key, sizeBytes, modifiedAtMs };
  }

  /**
   * Where the first version counts, what was there is deleted before it is replaced: readers may find nothing for a moment.
   * Only repairs replace such objects.
   */
  async put(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    checkObjectSize(key, bytes.length);
    const mark = randomBytes(16).toString("hex");
    for (let tries = 1; ; tries++) {
      const versionId = await this.#put("put", key, bytes, { mark }, options);
      if (!(await this.#firstCounts(key, versionId, options))) return;
      if (await this.#isFirst(key, versionId, mark, options)) return;
      if (tries === REPLACE_TRIES) break;
      await this.delete(key, options);
    }
    throw new RepriseError("backend", "STORAGE_FAILED", `put of ${key} failed: others put it again and again`, {
      data: { operation: "put", key },
      hint: "look who writes to this name, then try again",
      retry: "later",
    });
  }

  /**
   * A lost answer is no riddle here: each call leaves a mark of its own beside the object, so that "exists" after a repeated
   * (or duplicated) request is told from another writer's. When the storage stays silent, the outcome is unknown.
   */
  async putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<"created" | "exists"> {
    checkKey(key);
    checkObjectSize(key, bytes.length);
    const mark = randomBytes(16).toString("hex");
    let versionId: string | undefined;
    try {
      versionId = await this.#put("putIfAbsent", key, bytes, { mark, ifAbsent: true }, options);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!(cause instanceof S3CallError)) throw error;
      if (isNotImplemented(cause.facts)) throw this.#unsupported(cause);
      if (cause.facts.status !== 412) throw error;
      return (await this.#markOf(key, options)) === mark ? "created" : "exists";
    }
    if (!(await this.#firstCounts(key, versionId, options))) return "created";
    return (await this.#isFirst(key, versionId, mark, options)) ? "created" : "exists";
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const root = this.#place.prefix;
    if (await this.#firsts.count(prefix, options)) {
      yield* firstsOfS3(root, prefix, options, this.#firsts.list(prefix, options));
      return;
    }
    const request = this.#request("s3:ListBucket", "list", prefix);
    yield* listS3(root, prefix, options, (token) =>
      this.#send("LIST", request, options, (signal) => this.#client.listPage(root + prefix, token, signal)),
    );
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    this.#firsts.forget(key);
    const request = this.#request("s3:DeleteObject", "delete", key);
    try {
      await this.#send("DELETE", request, options, (signal) => this.#client.deleteObject(key, signal));
    } catch (error) {
      if (!hasName(error, "NoSuchKey")) throw error;
    }
  }

  async deleteMany(keys: readonly string[], options: OperationOptions = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    options.signal?.throwIfAborted();
    for (let start = 0; start < keys.length; start += DELETE_BATCH) {
      await this.#deleteBatch(keys.slice(start, start + DELETE_BATCH), options);
    }
  }

  /** What the credentials may not ask is unknown. */
  async protection(options: OperationOptions = {}): Promise<StorageProtection> {
    const status = await this.#askBucket("s3:GetBucketVersioning", options, (signal) =>
      this.#client.versioning(signal),
    );
    const days = await this.#askBucket("s3:GetBucketObjectLockConfiguration", options, (signal) =>
      this.#client.retentionDays(signal),
    );
    const versioning = status === null ? "unknown" : status === "Enabled" ? "on" : "off";
    const expiring = await this.#askBucket("s3:GetLifecycleConfiguration", options, (signal) =>
      this.#client.expiringPrefixes(signal),
    );
    const root = this.#place.prefix;
    const versionsExpire = (expiring ?? []).flatMap((prefix) =>
      root.startsWith(prefix) ? [""] : prefix.startsWith(root) ? [prefix.slice(root.length)] : [],
    );
    return { versioning, objectLockDays: days ?? null, versionsExpire };
  }

  async lockUntil(
    key: string,
    { untilMs, whenLessThanMs }: { untilMs: number; whenLessThanMs: number },
    options: OperationOptions = {},
  ): Promise<"extended" | "kept"> {
    checkKey(key);
    const version = await this.#versionToLock(key, options);
    const asked = this.#request("s3:GetObjectRetention", "lockUntil", key);
    const now = await this.#send("GET", asked, options, (signal) => this.#client.objectRetention(key, version, signal));
    if (now === undefined || now.untilMs >= whenLessThanMs) return "kept";
    const request = this.#request("s3:PutObjectRetention", "lockUntil", key);
    const { mode } = now;
    await this.#send("PUT", request, options, (signal) =>
      this.#client.setObjectRetention(key, version, { mode, untilMs }, signal),
    );
    return "extended";
  }

  async *versions(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectVersion> {
    checkPrefix(prefix);
    const root = this.#place.prefix;
    const request = this.#request("s3:ListBucketVersions", "versions", prefix);
    let marker: S3VersionMarker | undefined;
    do {
      const at = marker;
      const page: S3VersionPage = await this.#send("LIST", request, options, (signal) =>
        this.#client.versionPage(root + prefix, at, signal),
      );
      for (const version of page.versions) {
        const key = version.key.slice(root.length);
        if (version.key.startsWith(root + prefix) && isObjectKey(key)) yield { ...version, key };
      }
      marker = page.next;
    } while (marker !== undefined);
  }

  async getVersion(key: string, versionId: string, options: OperationOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    const request = this.#request("s3:GetObjectVersion", "getVersion", key);
    const { bytes } = await this.#send("GET", request, options, (signal) =>
      this.#client.getObject({ key, versionId, maxBytes: MAX_OBJECT_BYTES }, signal),
    );
    this.#traffic.received(bytes.length);
    return bytes;
  }

  traffic(): Traffic {
    return this.#traffic.now;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** Null: the bucket has no such thing, or the credentials may not know. */
  async #askBucket<T>(
    verb: string,
    options: OperationOptions,
    ask: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T | null> {
    try {
      return await this.#send("GET", this.#request(verb, "protection", ""), options, ask);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      const status = cause instanceof S3CallError ? (cause.facts.status ?? 0) : 0;
      if ((status >= 400 && status < 500 && status !== 408 && status !== 429) || status === 501) return null;
      throw error;
    }
  }

  /** Undefined: the latest one. */
  async #versionToLock(key: string, options: OperationOptions): Promise<string | undefined> {
    if (!(await this.#firsts.count(key, options))) return undefined;
    return this.#firsts.only(key) ?? (await this.#firsts.look(key, options))?.versionId;
  }

  async #isVersioned(options: OperationOptions): Promise<boolean | "unknown"> {
    const status = await this.#askBucket("s3:GetBucketVersioning", options, (signal) =>
      this.#client.versioning(signal),
    );
    return status === null ? "unknown" : status === "Enabled";
  }

  async #put(
    operation: string,
    key: string,
    bytes: Uint8Array,
    how: { mark: string; ifAbsent?: boolean },
    options: OperationOptions,
  ): Promise<string | undefined> {
    const request = this.#request("s3:PutObject", operation, key);
    const attempt = (signal: AbortSignal | undefined) => this.#client.putObject(key, bytes, how, signal);
    return await this.#send("PUT", request, options, attempt, bytes.length);
  }

  /** After a put that was answered with this version. */
  async #firstCounts(key: string, versionId: string | undefined, options: OperationOptions): Promise<boolean> {
    return (await this.#firsts.learn(key, versionId, "put")) || (await this.#firsts.count(key, options));
  }

  /** Whether a put of ours came first: the one that was answered, or one whose answer was lost. */
  async #isFirst(
    key: string,
    versionId: string | undefined,
    mark: string,
    options: OperationOptions,
  ): Promise<boolean> {
    const first = await this.#firsts.look(key, options);
    if (first === undefined) return false;
    return first.versionId === versionId || (await this.#markOfVersion(key, first.versionId, options)) === mark;
  }

  async #markOfVersion(key: string, versionId: string, options: OperationOptions): Promise<string | undefined> {
    const request = this.#request("s3:GetObjectVersion", "putIfAbsent", key);
    try {
      const ask = (signal: AbortSignal | undefined) => this.#client.headObject(key, signal, versionId);
      return (await this.#send("HEAD", request, options, ask)).mark;
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async #getWhole(key: string, options: GetOptions): Promise<S3GetAnswer> {
    return await this.#read(key, undefined, MAX_OBJECT_BYTES, options);
  }

  async #getRange(key: string, range: ByteRange, options: GetOptions): Promise<Uint8Array> {
    const { offset } = range;
    const length = offset < 0 ? -offset : range.length;
    const header = offset < 0 ? `bytes=-${length}` : `bytes=${offset}-${offset + length - 1}`;
    let answer: S3GetAnswer;
    try {
      answer = await this.#read(key, header, length, options);
    } catch (error) {
      if (hasStatus(error, 416)) throw outside(key, range);
      throw error;
    }
    const { sizeBytes, bytes } = answer;
    const wanted = resolveRange(key, sizeBytes, range);
    if (answer.offset === wanted.offset && bytes.length === wanted.length) return bytes;
    throw new RepriseError(
      "backend",
      "STORAGE_FAILED",
      `get of ${key}: the storage sent another range than asked for`,
      {
        data: { operation: "get", key, wanted, offset: answer.offset, length: bytes.length },
        hint: "this storage cannot hold a repository",
      },
    );
  }

  async #read(key: string, range: string | undefined, maxBytes: number, options: GetOptions): Promise<S3GetAnswer> {
    const get = { key, range, maxBytes, into: options.into };
    if (!(await this.#firsts.count(key, options))) {
      const answer = await this.#readVersion(get, options);
      if (!(await this.#firsts.learn(key, answer.versionId, "read"))) return answer;
    }
    const only = this.#firsts.only(key);
    if (only !== undefined) {
      const answer = await this.#readLatest(get, options);
      if (answer !== undefined && (answer.versionId ?? "null") === only) return answer;
    }
    const first = await this.#firsts.look(key, options);
    if (first === undefined) throw objectNotFound(key);
    return await this.#readVersion({ ...get, versionId: first.versionId }, options);
  }

  /** Undefined: it is not such that this could be read from it, which another version's contents may be. */
  async #readLatest(get: S3GetRequest, options: GetOptions): Promise<S3GetAnswer | undefined> {
    try {
      return await this.#readVersion(get, options);
    } catch (error) {
      if (hasStatus(error, 416) || isOurError(error, "OBJECT_TOO_LARGE") || hasName(error, "ObjectTooLarge")) return;
      throw error;
    }
  }

  async #readVersion(get: S3GetRequest, options: GetOptions): Promise<S3GetAnswer> {
    const { key, range, versionId } = get;
    const request = this.#request(versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion", "get", key);
    try {
      const answer = await this.#send("GET", request, options, (signal) => this.#client.getObject(get, signal));
      this.#traffic.received(answer.bytes.length);
      return answer;
    } catch (error) {
      if (hasName(error, "NoSuchKey") || hasName(error, "NoSuchVersion")) throw objectNotFound(key);
      if (hasName(error, "ObjectTooLarge") && range === undefined) {
        checkObjectSize(key, Number((error as { cause: S3CallError }).cause.facts.message));
      }
      throw error;
    }
  }

  async #head(operation: string, key: string, options: OperationOptions): Promise<S3ObjectFacts> {
    if (!(await this.#firsts.count(key, options))) {
      const facts = await this.#headLatest(operation, key, options);
      if (!(await this.#firsts.learn(key, facts.versionId, "read"))) return facts;
    }
    const first = await this.#firsts.look(key, options);
    if (first === undefined) throw objectNotFound(key);
    const { sizeBytes, versionId } = first;
    return { sizeBytes, versionId, modifiedAtMs: wholeSeconds(first.modifiedAtMs), mark: undefined };
  }

  /** An answer to HEAD has no words, so a refused one is asked again as a GET, which says why. */
  async #headLatest(operation: string, key: string, options: OperationOptions): Promise<S3ObjectFacts> {
    const request = this.#request("s3:GetObject", operation, key);
    try {
      const facts = await this.#send("HEAD", request, options, (signal) => this.#client.headObject(key, signal));
      return { ...facts, modifiedAtMs: wholeSeconds(facts.modifiedAtMs) };
    } catch (error) {
      if (!hasStatus(error, 404) && !hasStatus(error, 403) && !hasStatus(error, 400)) throw error;
      await this.#readVersion({ key, range: "bytes=0-0", maxBytes: 1 }, options);
      throw error;
    }
  }

  async #markOf(key: string, options: OperationOptions): Promise<string | undefined> {
    try {
      const { mark, versionId } = await this.#head("putIfAbsent", key, options);
      const isVersion = versionId !== undefined && (await this.#firsts.count(key, options));
      return isVersion ? await this.#markOfVersion(key, versionId, options) : mark;
    } catch (error) {
      // Deleted since it was found: it was somebody's, and what this call wrote nobody deletes before it answers.
      if (isOurError(error, "OBJECT_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  async #deleteBatch(keys: readonly string[], options: OperationOptions): Promise<void> {
    for (const key of keys) this.#firsts.forget(key);
    const request = this.#request("s3:DeleteObject", "delete", keys[0] as string);
    try {
      await this.#send("DELETE-MANY", request, options, async (signal) => {
        for (const { key, error } of await this.#client.deleteObjects(keys, signal)) {
          if (error.facts.name === "NoSuchKey") continue;
          throw isWorthRetrying(error.facts) ? error : s3Failure(error, { ...request, key });
        }
      });
    } catch (error) {
      // Not every S3 has it.
      if (!hasStatus(error, 501) && !hasStatus(error, 405) && !hasName(error, "NotImplemented")) throw error;
      await Promise.all(keys.map((key) => this.delete(key, options)));
    }
  }

  /** Sends until it is answered: at most `connections` at once, tried again where that may help. */
  async #send<T>(
    kind: string,
    request: S3Request,
    options: OperationOptions,
    attempt: (signal: AbortSignal | undefined) => Promise<T>,
    bytesUp = 0,
  ): Promise<T> {
    const { signal } = options;
    let tries = 0;
    const once = () =>
      this.#gate.run(async () => {
        if (tries++ > 0) this.#traffic.retry();
        this.#traffic.request(kind, bytesUp);
        const answer = await attempt(signal);
        this.#hasAnswered = true;
        return answer;
      }, signal);
    try {
      return await retrying(once, (error) => this.#isWorthRetrying(error), this.#retry, signal);
    } catch (error) {
      signal?.throwIfAborted(); // with its own reason
      throw s3Failure(error, request);
    }
  }

  #isWorthRetrying(error: unknown): boolean {
    if (!(error instanceof S3CallError)) return false;
    if (error.facts.status !== undefined) this.#hasAnswered = true;
    return isWorthRetrying(error.facts);
  }

  #request(verb: string, operation: string, key: string): S3Request {
    return { verb, operation, bucket: this.#place.bucket, key };
  }

  #unsupported(cause: S3CallError): RepriseError {
    const message = `${this.location}: this storage has no conditional put (If-None-Match)`;
    return new RepriseError("unsupported", "PUT_IF_ABSENT_UNSUPPORTED", message, {
      data: { location: this.location },
      hint: "use a storage that has it (AWS, Ceph, MinIO, R2 and others); docs/storage-s3.md has a list",
      cause,
    });
  }
}

/** A range whose answer alone shows whether it is inside the object. */
function isPlainRange({ offset, length }: ByteRange): boolean {
  const wanted = offset < 0 ? -offset : length;
  const isSane = Number.isSafeInteger(offset) && Number.isSafeInteger(wanted) && Number.isSafeInteger(offset + wanted);
  return isSane && wanted > 0 && wanted <= MAX_OBJECT_BYTES;
}

function outside(key: string, { offset, length }: ByteRange): RepriseError {
  return new RepriseError("backend", "OBJECT_RANGE", `object ${key}: range is outside its bytes`, {
    data: { key, offset, length },
  });
}

function hasName(error: unknown, name: string): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof S3CallError && cause.facts.name === name;
}

function hasStatus(error: unknown, status: number): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof S3CallError && cause.facts.status === status;
}
