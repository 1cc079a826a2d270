// Writing objects: replacing, claiming a name, and which of several writers came first; and deleting.

import { randomBytes } from "node:crypto";
import { isOurError, RepriseError } from "../../errors.js";
import type { OperationOptions } from "../backend.js";
import type { FirstVersions } from "./firstVersions.js";
import type { ObjectReads } from "./objectReads.js";
import { deleteObject, deleteObjects, headObject, putObject } from "./objectRequests.js";
import type { RequestSender } from "./requestSender.js";
import { hasName, hasStatus, S3CallError } from "./s3CallError.js";
import type { S3Connection } from "./s3Connection.js";
import { isNotImplemented, isWorthRetrying, s3Failure } from "./s3Failure.js";
import { describeS3Location } from "./s3Location.js";

/** Keys of one DeleteObjects. */
const DELETE_BATCH = 1000;
/** How often put may find that others have put before it. */
const REPLACE_TRIES = 5;

export class ObjectWrites {
  readonly #connection: S3Connection;
  readonly #sender: RequestSender;
  readonly #firsts: FirstVersions;
  readonly #reads: ObjectReads;

  constructor(connection: S3Connection, sender: RequestSender, firsts: FirstVersions, reads: ObjectReads) {
    this.#connection = connection;
    this.#sender = sender;
    this.#firsts = firsts;
    this.#reads = reads;
  }

  /**
   * Where the first version counts, what was there is deleted before it is replaced: readers may find nothing for a moment.
   * Only repairs replace such objects.
   */
  async put(key: string, bytes: Uint8Array, options: OperationOptions): Promise<void> {
    const mark = newMark();
    for (let tries = 1; ; tries++) {
      const versionId = await this.#put("put", key, bytes, { mark }, options);
      if (!(await this.#firstCounts(key, versionId, options))) return;
      if (await this.#isFirst(key, versionId, mark, options)) return;
      if (tries === REPLACE_TRIES) break;
      await this.#deleteToReplace(key, options);
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
  async putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions): Promise<"created" | "exists"> {
    const mark = newMark();
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

  async delete(key: string, options: OperationOptions): Promise<void> {
    this.#firsts.forget(key);
    const request = this.#sender.about("s3:DeleteObject", "delete", key);
    try {
      await this.#sender.send("DELETE", request, options, (signal) => deleteObject(this.#connection, key, signal));
    } catch (error) {
      if (!hasName(error, "NoSuchKey")) throw error;
    }
  }

  async deleteMany(keys: readonly string[], options: OperationOptions): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETE_BATCH) {
      await this.#deleteBatch(keys.slice(start, start + DELETE_BATCH), options);
    }
  }

  async #deleteBatch(keys: readonly string[], options: OperationOptions): Promise<void> {
    for (const key of keys) this.#firsts.forget(key);
    const request = this.#sender.about("s3:DeleteObject", "delete", keys[0] as string);
    try {
      await this.#sender.send("DELETE-MANY", request, options, async (signal) => {
        for (const { key, error } of await deleteObjects(this.#connection, keys, signal)) {
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

  /** A put that was accepted has no effect while the first version cannot be deleted: the error says so (`data.accepted`). */
  async #deleteToReplace(key: string, options: OperationOptions): Promise<void> {
    try {
      await this.delete(key, options);
    } catch (error) {
      if (!isOurError(error, "STORAGE_ACCESS_DENIED")) throw error;
      const message = `put of ${key} has no effect: its first version counts, and these credentials may not delete it`;
      throw new RepriseError("backend", "STORAGE_ACCESS_DENIED", message, {
        data: { ...error.data, operation: "put", accepted: true },
        hint: error.hint,
        cause: error,
      });
    }
  }

  async #put(
    operation: string,
    key: string,
    bytes: Uint8Array,
    how: { mark: string; ifAbsent?: boolean },
    options: OperationOptions,
  ): Promise<string | undefined> {
    const request = this.#sender.about("s3:PutObject", operation, key);
    const attempt = (signal: AbortSignal | undefined) => putObject(this.#connection, key, bytes, how, signal);
    return await this.#sender.send("PUT", request, options, attempt, bytes.length);
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

  async #markOf(key: string, options: OperationOptions): Promise<string | undefined> {
    try {
      const { mark, versionId } = await this.#reads.head("putIfAbsent", key, options);
      const isVersion = versionId !== undefined && (await this.#firsts.count(key, options));
      return isVersion ? await this.#markOfVersion(key, versionId, options) : mark;
    } catch (error) {
      // Deleted since it was found: it was somebody's, and what this call wrote nobody deletes before it answers.
      if (isOurError(error, "OBJECT_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  async #markOfVersion(key: string, versionId: string, options: OperationOptions): Promise<string | undefined> {
    const request = this.#sender.about("s3:GetObjectVersion", "putIfAbsent", key);
    try {
      const ask = (signal: AbortSignal | undefined) => headObject(this.#connection, key, signal, versionId);
      return (await this.#sender.send("HEAD", request, options, ask)).mark;
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  #unsupported(cause: S3CallError): RepriseError {
    const location = describeS3Location(this.#connection.location);
    const message = `${location}: this storage has no conditional put (If-None-Match)`;
    return new RepriseError("unsupported", "PUT_IF_ABSENT_UNSUPPORTED", message, {
      data: { location },
      hint: "use a storage that has it (AWS, Ceph, MinIO, R2 and others); docs/storage-s3.md has a list",
      cause,
    });
  }
}

function newMark(): string {
  return randomBytes(16).toString("hex");
}
