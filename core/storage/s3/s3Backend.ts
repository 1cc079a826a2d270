// A repository in an S3 bucket. Every object is one PUT, so it is whole or absent; a name is claimed with If-None-Match.
// docs/storage-s3.md says which requests each operation makes.

import type {
  Backend,
  GetOptions,
  ObjectInfo,
  ObjectVersion,
  OperationOptions,
  StorageProtection,
  StorageRetry,
  Traffic,
} from "../backend.js";
import { checkObjectSize } from "../objectBytes.js";
import { checkKey, checkPrefix, isObjectKey } from "../objectKey.js";
import { BucketRules } from "./bucketRules.js";
import { FirstVersions } from "./firstVersions.js";
import { ObjectReads } from "./objectReads.js";
import { listPage } from "./objectRequests.js";
import { ObjectWrites } from "./objectWrites.js";
import { RequestSender } from "./requestSender.js";
import type { RetryRules } from "./retrying.js";
import { connectS3, type S3Connection, type S3Credentials } from "./s3Connection.js";
import { firstsOfS3, listS3 } from "./s3List.js";
import { describeS3Location, parseS3Location } from "./s3Location.js";
import { type S3VersionMarker, type S3VersionPage, versionPage } from "./versionRequests.js";

export interface S3BackendOptions {
  /** Default: the SDK's chain. */
  credentials?: S3Credentials;
  signal?: AbortSignal;
  onRetry?: (retry: StorageRetry) => void;
  /** For tests. */
  retry?: Partial<RetryRules>;
}

/** Reads that hide the latency of a network; each has its memory in whoever reads. */
const PARALLEL_READS = 4;

/** Sends nothing yet: the first operation says whether the bucket is there and the credentials are right. */
export async function openS3Backend(location: string, options: S3BackendOptions = {}): Promise<S3Backend> {
  const connection = await connectS3(parseS3Location(location), options.credentials);
  if (options.signal?.aborted) connection.close();
  options.signal?.throwIfAborted();
  return new S3Backend(connection, options);
}

export class S3Backend implements Backend {
  readonly location: string;
  readonly parallelReads = PARALLEL_READS;
  readonly #connection: S3Connection;
  readonly #sender: RequestSender;
  readonly #rules: BucketRules;
  readonly #firsts: FirstVersions;
  readonly #reads: ObjectReads;
  readonly #writes: ObjectWrites;

  constructor(connection: S3Connection, options: S3BackendOptions) {
    const place = connection.location;
    this.location = describeS3Location(place);
    this.#connection = connection;
    this.#sender = new RequestSender(place, options);
    this.#rules = new BucketRules(connection, this.#sender);
    this.#firsts = new FirstVersions({
      root: place.prefix,
      isVersioned: (rules) => this.#rules.isVersioned(rules),
      page: (prefix, marker, atMost, rules) => this.#versionPage(prefix, marker, rules, atMost),
    });
    this.#reads = new ObjectReads(connection, this.#sender, this.#firsts);
    this.#writes = new ObjectWrites(connection, this.#sender, this.#firsts, this.#reads);
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    options.signal?.throwIfAborted();
    return await this.#reads.get(key, options);
  }

  async stat(key: string, options: OperationOptions = {}): Promise<ObjectInfo> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const { sizeBytes, modifiedAtMs } = await this.#reads.head("stat", key, options);
    return { key, sizeBytes, modifiedAtMs };
  }

  async put(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    checkObjectSize(key, bytes.length);
    await this.#writes.put(key, bytes, options);
  }

  async putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<"created" | "exists"> {
    checkKey(key);
    checkObjectSize(key, bytes.length);
    return await this.#writes.putIfAbsent(key, bytes, options);
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const root = this.#connection.location.prefix;
    if (await this.#firsts.count(prefix, options)) {
      yield* firstsOfS3(root, prefix, options, this.#firsts.list(prefix, options));
      return;
    }
    const request = this.#sender.about("s3:ListBucket", "list", prefix);
    yield* listS3(root, prefix, options, (token) =>
      this.#sender.send("LIST", request, options, (signal) => listPage(this.#connection, root + prefix, token, signal)),
    );
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    await this.#writes.delete(key, options);
  }

  async deleteMany(keys: readonly string[], options: OperationOptions = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    options.signal?.throwIfAborted();
    await this.#writes.deleteMany(keys, options);
  }

  async protection(options: OperationOptions = {}): Promise<StorageProtection> {
    return await this.#rules.protection(options);
  }

  async lockUntil(
    key: string,
    times: { untilMs: number; whenLessThanMs: number },
    options: OperationOptions = {},
  ): Promise<"extended" | "kept"> {
    checkKey(key);
    return await this.#rules.lockUntil(key, times, this.#firsts, options);
  }

  async *versions(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectVersion> {
    checkPrefix(prefix);
    const root = this.#connection.location.prefix;
    let marker: S3VersionMarker | undefined;
    do {
      const page: S3VersionPage = await this.#versionPage(root + prefix, marker, options);
      for (const version of page.versions) {
        const key = version.key.slice(root.length);
        if (version.key.startsWith(root + prefix) && isObjectKey(key)) yield { ...version, key };
      }
      marker = page.next;
    } while (marker !== undefined);
  }

  async getVersion(key: string, versionId: string, options: OperationOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    return await this.#reads.version(key, versionId, options);
  }

  traffic(): Traffic {
    return this.#sender.traffic();
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  /** `fullPrefix`: of the bucket's keys. */
  async #versionPage(
    fullPrefix: string,
    marker: S3VersionMarker | undefined,
    options: OperationOptions,
    atMost?: number,
  ): Promise<S3VersionPage> {
    const prefix = fullPrefix.slice(this.#connection.location.prefix.length);
    const request = this.#sender.about("s3:ListBucketVersions", "versions", prefix);
    return await this.#sender.send("LIST", request, options, (signal) =>
      versionPage(this.#connection, fullPrefix, marker, signal, atMost),
    );
  }
}
