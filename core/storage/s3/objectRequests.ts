// Requests about objects, each sent once. Keys are the repository's own, except in listings.

import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { announcedLength, badAnswer, continuationOf, decodeKey, placeOf } from "./answerChecks.js";
import { readBody } from "./readBody.js";
import { callErrorOf, type S3CallError } from "./s3CallError.js";
import type { S3Connection, StorageClass } from "./s3Connection.js";

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

const MARK = "reprise-put";
/** Storage classes have prices by the object; small ones stay where they are. */
const SMALLEST_IN_CLASS = 128 * 1024;

/** `mark`: kept beside the object. Answers the new version's id in a versioned bucket. */
export async function putObject(
  connection: S3Connection,
  key: string,
  bytes: Uint8Array,
  { mark, ifAbsent }: { mark?: string; ifAbsent?: boolean },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { storageClass, encryption, encryptionKeyId } = connection.location;
  const command = new connection.sdk.PutObjectCommand({
    ...connection.nameOf(key),
    Body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    ContentLength: bytes.length,
    // Also what AWS wants to see before it takes an object under a retention rule.
    ChecksumCRC32: checksumText(bytes),
    ...(mark === undefined ? {} : { Metadata: { [MARK]: mark } }),
    ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
    ...(storageClass === undefined || bytes.length < SMALLEST_IN_CLASS
      ? {}
      : { StorageClass: storageClass as StorageClass }),
    ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
    ...(encryptionKeyId === undefined ? {} : { SSEKMSKeyId: encryptionKeyId }),
  });
  return (await connection.send(command, signal, bytes.length)).VersionId;
}

/** The object or a range of it, all of what the server announces. Throws `ObjectTooLarge` beyond `maxBytes`. */
export async function getObject(
  connection: S3Connection,
  request: S3GetRequest,
  signal?: AbortSignal,
): Promise<S3GetAnswer> {
  const { key, versionId, range, maxBytes, into } = request;
  const command = new connection.sdk.GetObjectCommand({
    ...connection.nameOf(key),
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...(range ? { Range: range } : {}),
  });
  return await connection.receive(command, signal, async (answer, allowTimeFor) => {
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
export async function headObject(
  connection: S3Connection,
  key: string,
  signal?: AbortSignal,
  version?: string,
): Promise<S3ObjectFacts> {
  const command = new connection.sdk.HeadObjectCommand({ ...connection.nameOf(key), VersionId: version });
  const answer = await connection.send(command, signal);
  return {
    sizeBytes: announcedLength(answer.ContentLength),
    modifiedAtMs: answer.LastModified?.getTime() ?? Number.NaN,
    mark: answer.Metadata?.[MARK],
    versionId: answer.VersionId,
  };
}

/** Prefix and keys are the bucket's. */
export async function listPage(
  connection: S3Connection,
  prefix: string,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<S3Page> {
  const command = new connection.sdk.ListObjectsV2Command({
    Bucket: connection.bucket,
    Prefix: prefix,
    EncodingType: "url",
    ...(token === undefined ? {} : { ContinuationToken: token }),
  });
  const answer = await connection.send(command, signal);
  const objects = (answer.Contents ?? []).map(({ Key = "", Size, LastModified }) => ({
    key: decodeKey(Key),
    sizeBytes: Size ?? Number.NaN,
    modifiedAtMs: LastModified?.getTime() ?? Number.NaN,
  }));
  return { objects, next: continuationOf(answer.IsTruncated, answer.NextContinuationToken) };
}

/** With a version: that one, for good. */
export async function deleteObject(
  connection: S3Connection,
  key: string,
  signal?: AbortSignal,
  version?: string,
): Promise<void> {
  const command = new connection.sdk.DeleteObjectCommand({ ...connection.nameOf(key), VersionId: version });
  await connection.send(command, signal);
}

/** At most 1000. Answers those that could not be deleted. */
export async function deleteObjects(
  connection: S3Connection,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<{ key: string; error: S3CallError }[]> {
  const { bucket, location } = connection;
  const command = new connection.sdk.DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Objects: keys.map((key) => ({ Key: location.prefix + key })), Quiet: true },
  });
  const answer = await connection.send(command, signal);
  return (answer.Errors ?? []).map(({ Key = "", Code = "Error", Message = "" }) => ({
    key: Key.slice(location.prefix.length),
    error: callErrorOf({ name: Code, message: Message, $metadata: { httpStatusCode: statusOf(Code) } }, []),
  }));
}

function checksumText(bytes: Uint8Array): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString("base64");
}

function statusOf(code: string): number {
  return code === "AccessDenied" ? 403 : code === "InternalError" || code === "SlowDown" ? 503 : 400;
}
