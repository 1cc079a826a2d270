// Requests about the bucket itself and its rules, each sent once.

import type { BucketLocationConstraint, S3Connection } from "./s3Connection.js";

/** Throws 404, or 403 for somebody else's. */
export async function headBucket(connection: S3Connection, signal?: AbortSignal): Promise<void> {
  await connection.send(new connection.sdk.HeadBucketCommand({ Bucket: connection.bucket }), signal);
}

/** Throws `BucketAlreadyOwnedByYou` where the server tells. */
export async function createBucket(
  connection: S3Connection,
  { objectLock, region }: { objectLock: boolean; region?: string },
  signal?: AbortSignal,
): Promise<void> {
  const command = new connection.sdk.CreateBucketCommand({
    Bucket: connection.bucket,
    ...(objectLock ? { ObjectLockEnabledForBucket: true } : {}),
    ...(region === undefined
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } }),
  });
  await connection.send(command, signal);
}

export async function enableVersioning(connection: S3Connection, signal?: AbortSignal): Promise<void> {
  const command = new connection.sdk.PutBucketVersioningCommand({
    Bucket: connection.bucket,
    VersioningConfiguration: { Status: "Enabled" },
  });
  await connection.send(command, signal);
}

/** Every new version is kept for that many days; who has a special permission can lift it (GOVERNANCE). */
export async function setRetention(connection: S3Connection, days: number, signal?: AbortSignal): Promise<void> {
  const command = new connection.sdk.PutObjectLockConfigurationCommand({
    Bucket: connection.bucket,
    ObjectLockConfiguration: {
      ObjectLockEnabled: "Enabled",
      Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: days } },
    },
  });
  await connection.send(command, signal);
}

/** "Enabled", "Suspended", or undefined: never switched on. */
export async function versioning(connection: S3Connection, signal?: AbortSignal): Promise<string | undefined> {
  const command = new connection.sdk.GetBucketVersioningCommand({ Bucket: connection.bucket });
  return (await connection.send(command, signal)).Status;
}

/** Days of the bucket's default retention; undefined: object lock without one. */
export async function retentionDays(connection: S3Connection, signal?: AbortSignal): Promise<number | undefined> {
  const command = new connection.sdk.GetObjectLockConfigurationCommand({ Bucket: connection.bucket });
  const answer = await connection.send(command, signal);
  const { Days, Years } = answer.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
  return Days ?? (Years === undefined ? undefined : Years * 365);
}

/** Below which older versions are removed after a time. */
export async function expiringPrefixes(connection: S3Connection, signal?: AbortSignal): Promise<string[]> {
  const command = new connection.sdk.GetBucketLifecycleConfigurationCommand({ Bucket: connection.bucket });
  const answer = await connection.send(command, signal);
  return (answer.Rules ?? [])
    .filter(({ Status, NoncurrentVersionExpiration }) => Status === "Enabled" && NoncurrentVersionExpiration)
    .map(({ Filter, Prefix }) => Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "");
}
