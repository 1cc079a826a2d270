// Requests about versions of objects and how long they are locked, each sent once.

import type { ObjectVersion } from "../backend.js";
import { continuationOf, decodeKey } from "./answerChecks.js";
import type { S3Connection } from "./s3Connection.js";

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

/** Versions of objects and their deletions, newest first for each key; `atMost` of both. Prefix and keys are the bucket's. */
export async function versionPage(
  connection: S3Connection,
  prefix: string,
  marker: S3VersionMarker | undefined,
  signal?: AbortSignal,
  atMost = 1000,
): Promise<S3VersionPage> {
  const command = new connection.sdk.ListObjectVersionsCommand({
    Bucket: connection.bucket,
    Prefix: prefix,
    EncodingType: "url",
    MaxKeys: atMost,
    ...(marker === undefined ? {} : { KeyMarker: marker.key, VersionIdMarker: marker.versionId }),
  });
  const answer = await connection.send(command, signal);
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
  const next = continuationOf(answer.IsTruncated, answer.NextKeyMarker);
  if (next === undefined) return { versions, deletions, next };
  return { versions, deletions, next: { key: decodeKey(next), versionId: answer.NextVersionIdMarker } };
}

/** Until when a version (absent: the latest) is locked; undefined: it is not. */
export async function objectRetention(
  connection: S3Connection,
  key: string,
  version: string | undefined,
  signal?: AbortSignal,
): Promise<S3Retention | undefined> {
  const command = new connection.sdk.GetObjectRetentionCommand({ ...connection.nameOf(key), VersionId: version });
  const { Mode, RetainUntilDate } = (await connection.send(command, signal)).Retention ?? {};
  return Mode && RetainUntilDate ? { mode: Mode, untilMs: RetainUntilDate.getTime() } : undefined;
}

export async function setObjectRetention(
  connection: S3Connection,
  key: string,
  version: string | undefined,
  { mode, untilMs }: S3Retention,
  signal?: AbortSignal,
): Promise<void> {
  const command = new connection.sdk.PutObjectRetentionCommand({
    ...connection.nameOf(key),
    VersionId: version,
    Retention: { Mode: mode, RetainUntilDate: new Date(untilMs) },
  });
  await connection.send(command, signal);
}
