// Reading objects: the version that counts, exactly the range that was asked for, and sizes and times.

import { isOurError, RepriseError } from "../../errors.js";
import type { ByteRange, GetOptions, OperationOptions } from "../backend.js";
import { checkObjectSize, MAX_OBJECT_BYTES, objectNotFound, resolveRange } from "../objectBytes.js";
import type { FirstVersions } from "./firstVersions.js";
import { getObject, headObject, type S3GetAnswer, type S3GetRequest, type S3ObjectFacts } from "./objectRequests.js";
import type { RequestSender } from "./requestSender.js";
import { hasName, hasStatus, type S3CallError } from "./s3CallError.js";
import type { S3Connection } from "./s3Connection.js";
import { wholeSeconds } from "./s3List.js";

export class ObjectReads {
  readonly #connection: S3Connection;
  readonly #sender: RequestSender;
  readonly #firsts: FirstVersions;

  constructor(connection: S3Connection, sender: RequestSender, firsts: FirstVersions) {
    this.#connection = connection;
    this.#sender = sender;
    this.#firsts = firsts;
  }

  async get(key: string, options: GetOptions): Promise<Uint8Array> {
    const { range } = options;
    if (range === undefined) return (await this.#read(key, undefined, MAX_OBJECT_BYTES, options)).bytes;
    if (isPlainRange(range)) return await this.#getRange(key, range, options);
    const { sizeBytes } = await this.head("get", key, options);
    const { offset, length } = resolveRange(key, sizeBytes, range);
    if (length === 0) return new Uint8Array(0);
    return await this.#getRange(key, { offset, length }, options);
  }

  /** `operation`: for messages. */
  async head(operation: string, key: string, options: OperationOptions): Promise<S3ObjectFacts> {
    if (!(await this.#firsts.count(key, options))) {
      const facts = await this.#headLatest(operation, key, options);
      if (!(await this.#firsts.learn(key, facts.versionId, "read"))) return facts;
    }
    const first = await this.#firsts.look(key, options);
    if (first === undefined) throw objectNotFound(key);
    const { sizeBytes, versionId } = first;
    return { sizeBytes, versionId, modifiedAtMs: wholeSeconds(first.modifiedAtMs), mark: undefined };
  }

  async version(key: string, versionId: string, options: OperationOptions): Promise<Uint8Array> {
    const request = this.#sender.about("s3:GetObjectVersion", "getVersion", key);
    const wanted = { key, versionId, maxBytes: MAX_OBJECT_BYTES };
    const { bytes } = await this.#sender.send("GET", request, options, (signal) =>
      getObject(this.#connection, wanted, signal),
    );
    this.#sender.received(bytes.length);
    return bytes;
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
    const message = `get of ${key}: the storage sent another range than asked for`;
    throw new RepriseError("backend", "STORAGE_FAILED", message, {
      data: { operation: "get", key, wanted, offset: answer.offset, length: bytes.length },
      hint: "this storage cannot hold a repository",
    });
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
    const request = this.#sender.about(versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion", "get", key);
    try {
      const attempt = (signal: AbortSignal | undefined) => getObject(this.#connection, get, signal);
      const answer = await this.#sender.send("GET", request, options, attempt);
      this.#sender.received(answer.bytes.length);
      return answer;
    } catch (error) {
      if (hasName(error, "NoSuchKey") || hasName(error, "NoSuchVersion")) throw objectNotFound(key);
      if (hasName(error, "ObjectTooLarge") && range === undefined) {
        checkObjectSize(key, Number((error as { cause: S3CallError }).cause.facts.message));
      }
      throw error;
    }
  }

  /** An answer to HEAD has no words, so a refused one is asked again as a GET, which says why. */
  async #headLatest(operation: string, key: string, options: OperationOptions): Promise<S3ObjectFacts> {
    const request = this.#sender.about("s3:GetObject", operation, key);
    try {
      const attempt = (signal: AbortSignal | undefined) => headObject(this.#connection, key, signal);
      const facts = await this.#sender.send("HEAD", request, options, attempt);
      return { ...facts, modifiedAtMs: wholeSeconds(facts.modifiedAtMs) };
    } catch (error) {
      if (!hasStatus(error, 404) && !hasStatus(error, 403) && !hasStatus(error, 400)) throw error;
      await this.#readVersion({ key, range: "bytes=0-0", maxBytes: 1 }, options);
      throw error;
    }
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
