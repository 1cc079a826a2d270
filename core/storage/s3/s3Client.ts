// The one file that knows the AWS SDK, loaded when the first s3: location is opened. Each method is one request, tried
// once; what it throws is a S3CallError with plain facts, or the abort of its signal.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import { getCACertificates } from "node:tls";
import { crc32 } from "node:zlib";
import type * as Sdk from "@aws-sdk/client-s3";
import { RepriseError } from "../../errors.js";
import type { ObjectVersion } from "../backend.js";
import { readBody } from "./readBody.js";
import { callErrorOf, S3CallError } from "./s3CallError.js";
import type { S3Location } from "./s3Location.js";

/** Given by a caller that keeps secrets itself; else the SDK's chain: environment, profile, SSO, web identity, role. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface S3ObjectFacts {
  sizeBytes: number;
  modifiedAtMs: number;
  /** The mark that putObject left. */
  mark: string | undefined;
  /** Undefined where no versions are kept. */
  versionId: string | undefined;
}

export interface S3GetAnswer {
  bytes: Uint8Array;
  /** First byte of the answer within the object. */
  offset: number;
  /** Of the whole object. */
  sizeBytes: number;
  /** Undefined where no versions are kept. */
  versionId: string | undefined;
}

export interface S3Retention {
  mode: "GOVERNANCE" | "COMPLIANCE";
  untilMs: number;
}

export interface S3VersionMarker {
  key: string;
  versionId: string | undefined;
}

/** A delete marker: its key has no contents while it is the latest. */
export interface S3Deletion {
  key: string;
  versionId: string;
  isLatest: boolean;
}

/** Both newest first for each key; nothing tells what of the two came first. */
export interface S3VersionPage {
  versions: ObjectVersion[];
  deletions: S3Deletion[];
  next: S3VersionMarker | undefined;
}

export interface S3Page {
  objects: { key: string; sizeBytes: number; modifiedAtMs: number }[];
  /** Continues the listing; undefined: this was the last page. */
  next: string | undefined;
}

/** `bytes=…`, or what a whole object may have at most. */
export interface S3GetRequest {
  key: string;
  /** Absent: the latest. */
  versionId?: string;
  range?: string;
  maxBytes: number;
  into?: Uint8Array;
}

interface S3ClientState {
  sdk: typeof Sdk;
  client: Sdk.S3Client;
  location: S3Location;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** An answer that drips is no silence: slower than this it counts as hanging. */
const SLOWEST_BYTES_PER_MS = 4;
/** Time for one request besides that for its bytes, in times of silence that are allowed. */
const ATTEMPT_SILENCES = 4;
const MARK = "reprise-put";
/** Storage classes have prices by the object; small ones stay where they are. */
const SMALLEST_IN_CLASS = 128 * 1024;

export async function connectS3(location: S3Location, credentials?: S3Credentials): Promise<S3Client> {
  const sdk = await import("@aws-sdk/client-s3");
  const { env } = process;
  const isCustom = (location.endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL) !== undefined;
  const region = location.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? (isCustom ? "us-east-1" : undefined);
  const sockets = { keepAlive: true, maxSockets: location.connections, scheduling: "lifo" as const };
  const client = new sdk.S3Client({
    ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(location.profile === undefined ? {} : { profile: location.profile }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: location.pathStyle ?? (isCustom || location.bucket.includes(".")),
    maxAttempts: 1,
    followRegionRedirects: !isCustom,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    requestHandler: {
      httpAgent: new HttpAgent(sockets),
      httpsAgent: new HttpsAgent({ ...sockets, ...trustedCertificates(location) }),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: location.timeoutSeconds * 1000,
    },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  addContentMd5(client);
  const connected = new S3Client({ sdk, client, location });
  await connected.checkRegion();
  return connected;
}

function trustedCertificates(location: S3Location): { ca?: string[] } {
  const file = location.caFile ?? process.env.AWS_CA_BUNDLE;
  if (!file) return {};
  try {
    return { ca: [...getCACertificates("default"), readFileSync(file, "utf8")] };
  } catch (cause) {
    throw new RepriseError("usage", "S3_CA_UNREADABLE", `the file with certificates, ${file}, cannot be read`, {
      data: { file },
      hint: "name a PEM file with ca= or AWS_CA_BUNDLE",
      cause,
    });
  }
}

export class S3Client {
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.S3Client;
  readonly #location: S3Location;

  constructor({ sdk, client, location }: S3ClientState) {
    this.#sdk = sdk;
    this.#client = client;
    this.#location = location;
  }

  /** STORAGE_LOCATION_INVALID when neither the location nor the environment nor the profile names a region. */
  async checkRegion(): Promise<void> {
    try {
      await this.#client.config.region();
    } catch {
      throw new RepriseError("usage", "STORAGE_LOCATION_INVALID", "the S3 location names no region", {
        hint: "add ?region=NAME to the location, or set AWS_REGION",
      });
    }
  }

  /** `mark`: kept beside the object. Answers the new version's id in a versioned bucket. */
  async putObject(
    key: string,
    bytes: Uint8Array,
    { mark, ifAbsent }: { mark?: string; ifAbsent?: boolean },
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const { storageClass, encryption, encryptionKeyId } = this.#location;
    const command = new this.#sdk.PutObjectCommand({
      ...this.#name(key),
      Body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      ContentLength: bytes.length,
      // Also what AWS wants to see before it takes an object under a retention rule.
      ChecksumCRC32: checksumText(bytes),
      ...(mark === undefined ? {} : { Metadata: { [MARK]: mark } }),
      ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
      ...(storageClass === undefined || bytes.length < SMALLEST_IN_CLASS
        ? {}
        : { StorageClass: storageClass as Sdk.StorageClass }),
      ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
      ...(encryptionKeyId === undefined ? {} : { SSEKMSKeyId: encryptionKeyId }),
    });
    const answer = await this.#attempt(bytes.length, signal, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
    return answer.VersionId;
  }

  /** The object or a range of it, all of what the server announces. Throws `ObjectTooLarge` beyond `maxBytes`. */
  async getObject(request: S3GetRequest, signal?: AbortSignal): Promise<S3GetAnswer> {
    const { key, versionId, range, maxBytes, into } = request;
    const command = new this.#sdk.GetObjectCommand({
      ...this.#name(key),
      ...(versionId === undefined ? {} : { VersionId: versionId }),
      ...(range ? { Range: range } : {}),
    });
    return await this.#attempt(0, signal, async (abortSignal, allowTimeFor) => {
      const answer = await this.#client.send(command, { abortSignal });
      const body = answer.Body as Readable;
      try {
        const length = announcedLength(answer.ContentLength);
        const place = placeOf(answer.ContentRange, length, range !== undefined);
        if (length > maxBytes) throw badAnswer("ObjectTooLarge", String(place.sizeBytes));
        allowTimeFor(length);
        const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
        await readBody(body, bytes);
        return { bytes, ...place, versionId: answer.VersionId };
      } catch (error) {
        body.destroy();
        throw error;
      }
    });
  }

  /** Without a version: the latest. */
  async headObject(key: string, signal?: AbortSignal, version?: string): Promise<S3ObjectFacts> {
    const command = new this.#sdk.HeadObjectCommand({ ...this.#name(key), VersionId: version });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    return {
      sizeBytes: announcedLength(answer.ContentLength),
      modifiedAtMs: answer.LastModified?.getTime() ?? Number.NaN,
      mark: answer.Metadata?.[MARK],
      versionId: answer.VersionId,
    };
  }

  /** Keys are the server's own, percent-encoded in the answer so that none of them can break it. */
  async listPage(prefix: string, token: string | undefined, signal?: AbortSignal): Promise<S3Page> {
    const command = new this.#sdk.ListObjectsV2Command({
      Bucket: this.#location.bucket,
      Prefix: prefix,
      EncodingType: "url",
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    const objects = (answer.Contents ?? []).map(({ Key = "", Size, LastModified }) => ({
      key: decodeKey(Key),
      sizeBytes: Size ?? Number.NaN,
      modifiedAtMs: LastModified?.getTime() ?? Number.NaN,
    }));
    const next = answer.IsTruncated ? answer.NextContinuationToken : undefined;
    if (answer.IsTruncated && next === undefined) throw badAnswer("ListingCutOff", "a part of a listing has no end");
    return { objects, next };
  }

  /** With a version: that one, for good. */
  async deleteObject(key: string, signal?: AbortSignal, version?: string): Promise<void> {
    const command = new this.#sdk.DeleteObjectCommand({ ...this.#name(key), VersionId: version });
    await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** At most 1000. Answers those that could not be deleted. */
  async deleteObjects(keys: readonly string[], signal?: AbortSignal): Promise<{ key: string; error: S3CallError }[]> {
    const command = new this.#sdk.DeleteObjectsCommand({
      Bucket: this.#location.bucket,
      Delete: { Objects: keys.map((key) => ({ Key: this.#location.prefix + key })), Quiet: true },
    });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    return (answer.Errors ?? []).map(({ Key = "", Code = "Error", Message = "" }) => ({
      key: Key.slice(this.#location.prefix.length),
      error: callErrorOf({ name: Code, message: Message, $metadata: { httpStatusCode: statusOf(Code) } }, []),
    }));
  }

  /** Throws 404, or 403 for somebody else's. */
  async headBucket(): Promise<void> {
    const command = new this.#sdk.HeadBucketCommand({ Bucket: this.#location.bucket });
    await this.#attempt(0, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** Throws `BucketAlreadyOwnedByYou` where the server tells. */
  async createBucket(options: { objectLock: boolean; region?: string }): Promise<void> {
    const command = new this.#sdk.CreateBucketCommand({
      Bucket: this.#location.bucket,
      ...(options.objectLock ? { ObjectLockEnabledForBucket: true } : {}),
      ...(options.region === undefined
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: options.region as Sdk.BucketLocationConstraint } }),
    });
    await this.#attempt(0, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async enableVersioning(): Promise<void> {
    const command = new this.#sdk.PutBucketVersioningCommand({
      Bucket: this.#location.bucket,
      VersioningConfiguration: { Status: "Enabled" },
    });
    await this.#attempt(0, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** Every new version is kept for that many days; who has a special permission can lift it (GOVERNANCE). */
  async setRetention(days: number): Promise<void> {
    const command = new this.#sdk.PutObjectLockConfigurationCommand({
      Bucket: this.#location.bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: days } },
      },
    });
    await this.#attempt(0, undefined, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** "Enabled", "Suspended", or undefined: never switched on. */
  async versioning(signal?: AbortSignal): Promise<string | undefined> {
    const command = new this.#sdk.GetBucketVersioningCommand({ Bucket: this.#location.bucket });
    return (await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }))).Status;
  }

  /** Days of the bucket's default retention; undefined: object lock without one. */
  async retentionDays(signal?: AbortSignal): Promise<number | undefined> {
    const command = new this.#sdk.GetObjectLockConfigurationCommand({ Bucket: this.#location.bucket });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    const { Days, Years } = answer.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
    return Days ?? (Years === undefined ? undefined : Years * 365);
  }

  /** Below which older versions are removed after a time. */
  async expiringPrefixes(signal?: AbortSignal): Promise<string[]> {
    const command = new this.#sdk.GetBucketLifecycleConfigurationCommand({ Bucket: this.#location.bucket });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    return (answer.Rules ?? [])
      .filter(({ Status, NoncurrentVersionExpiration }) => Status === "Enabled" && NoncurrentVersionExpiration)
      .map(({ Filter, Prefix }) => Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "");
  }

  /** Until when a version (absent: the latest) is locked; undefined: it is not. */
  async objectRetention(
    key: string,
    version: string | undefined,
    signal?: AbortSignal,
  ): Promise<S3Retention | undefined> {
    const command = new this.#sdk.GetObjectRetentionCommand({ ...this.#name(key), VersionId: version });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    const { Mode, RetainUntilDate } = answer.Retention ?? {};
    return Mode && RetainUntilDate ? { mode: Mode, untilMs: RetainUntilDate.getTime() } : undefined;
  }

  async setObjectRetention(
    key: string,
    version: string | undefined,
    { mode, untilMs }: S3Retention,
    signal?: AbortSignal,
  ): Promise<void> {
    const command = new this.#sdk.PutObjectRetentionCommand({
      ...this.#name(key),
      VersionId: version,
      Retention: { Mode: mode, RetainUntilDate: new Date(untilMs) },
    });
    await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** Versions of objects and their deletions, newest first for each key; `atMost` of both. */
  async versionPage(
    prefix: string,
    marker: S3VersionMarker | undefined,
    signal?: AbortSignal,
    atMost = 1000,
  ): Promise<S3VersionPage> {
    const command = new this.#sdk.ListObjectVersionsCommand({
      Bucket: this.#location.bucket,
      Prefix: prefix,
      EncodingType: "url",
      MaxKeys: atMost,
      ...(marker === undefined ? {} : { KeyMarker: marker.key, VersionIdMarker: marker.versionId }),
    });
    const answer = await this.#attempt(0, signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    const versions = (answer.Versions ?? []).map(({ Key = "", VersionId, ETag, Size, LastModified, IsLatest }) => ({
      key: decodeKey(Key),
      versionId: VersionId ?? "null",
      contentsTag: ETag ?? "",
      sizeBytes: Size ?? Number.NaN,
      modifiedAtMs: LastModified?.getTime() ?? Number.NaN,
      isLatest: IsLatest === true,
    }));
    const deletions = (answer.DeleteMarkers ?? []).map(({ Key = "", VersionId, IsLatest }) => ({
      key: decodeKey(Key),
      versionId: VersionId ?? "null",
      isLatest: IsLatest === true,
    }));
    if (!answer.IsTruncated) return { versions, deletions, next: undefined };
    if (answer.NextKeyMarker === undefined) throw badAnswer("ListingCutOff", "a part of a listing has no end");
    return {
      versions,
      deletions,
      next: { key: decodeKey(answer.NextKeyMarker), versionId: answer.NextVersionIdMarker },
    };
  }

  /** The region in use. */
  async region(): Promise<string> {
    return await this.#client.config.region();
  }

  close(): void {
    this.#client.destroy();
  }

  #name(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#location.prefix + key };
  }

  /** One request with a time limit that even an answer of single bytes cannot outlast. */
  async #attempt<T>(
    sizeBytes: number,
    signal: AbortSignal | undefined,
    send: (signal: AbortSignal, allowTimeFor: (bytes: number) => void) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const abort = () => controller.abort();
    signal?.addEventListener("abort", abort, { once: true });
    const baseMs = ATTEMPT_SILENCES * 1000 * this.#location.timeoutSeconds;
    let timer = setTimeout(abort, baseMs + sizeBytes / SLOWEST_BYTES_PER_MS);
    const allowTimeFor = (bytes: number) => {
      clearTimeout(timer);
      timer = setTimeout(abort, baseMs + bytes / SLOWEST_BYTES_PER_MS);
    };
    try {
      return await send(controller.signal, allowTimeFor);
    } catch (error) {
      signal?.throwIfAborted();
      if (controller.signal.aborted)
        throw callErrorOf({ name: "TimeoutError", message: "the answer takes too long" }, []);
      throw callErrorOf(error, await this.#secrets());
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** What must not appear in a message. */
  async #secrets(): Promise<string[]> {
    try {
      const { secretAccessKey, sessionToken } = await this.#client.config.credentials();
      return sessionToken === undefined ? [secretAccessKey] : [secretAccessKey, sessionToken];
    } catch {
      return [];
    }
  }
}

const WITH_DOCUMENT: ReadonlySet<string | undefined> = new Set([
  "DeleteObjectsCommand",
  "PutBucketVersioningCommand",
  "PutObjectLockConfigurationCommand",
  "PutObjectRetentionCommand",
]);

/** Some servers want Content-MD5 for requests with a document in them; CRC-32, which the SDK would send, is newer. */
function addContentMd5(client: Sdk.S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { body, headers } = args.request as { body?: unknown; headers: Record<string, string> };
        if (WITH_DOCUMENT.has(commandName) && (typeof body === "string" || body instanceof Uint8Array)) {
          headers["content-md5"] = createHash("md5").update(body).digest("base64");
        }
        return await next(args);
      },
    { step: "build", name: "contentMd5" },
  );
}

function checksumText(bytes: Uint8Array): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString("base64");
}

function announcedLength(length: number | undefined): number {
  if (length !== undefined && Number.isSafeInteger(length) && length >= 0) return length;
  throw badAnswer("LengthMissing", "the server does not say how long its answer is");
}

/** Where the answer lies in the object. */
function placeOf(
  contentRange: string | undefined,
  length: number,
  ranged: boolean,
): { offset: number; sizeBytes: number } {
  if (!ranged) return { offset: 0, sizeBytes: length };
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/.exec(contentRange ?? "");
  if (match === null) throw badAnswer("RangeIgnored", "the server does not say which range it sends");
  const [first, last, sizeBytes] = match.slice(1).map(Number) as [number, number, number];
  if (last - first + 1 !== length || last >= sizeBytes) throw badAnswer("RangeWrong", "the server sends another range");
  return { offset: first, sizeBytes };
}

function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", "%20"));
  } catch {
    return encoded;
  }
}

function statusOf(code: string): number {
  return code === "AccessDenied" ? 403 : code === "InternalError" || code === "SlowDown" ? 503 : 400;
}

/** 400: an answer that stays wrong however often it is asked for. */
function badAnswer(name: string, message: string): S3CallError {
  return new S3CallError({ name, status: 400, systemCode: undefined, message, requestId: undefined });
}
