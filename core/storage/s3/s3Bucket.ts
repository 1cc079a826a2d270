// `init --create-bucket`: makes the bucket with versioning on, so that whoever may only write cannot destroy what was
// there before; with object lock where asked for. Some servers (Ceph up to 16 at least) forget If-None-Match in versioned
// buckets: there the first version decides.

import { randomBytes } from "node:crypto";
import { isOurError, RepriseError } from "../../errors.js";
import { createBucket, enableVersioning, headBucket, setRetention } from "./bucketRequests.js";
import { deleteObject, putObject } from "./objectRequests.js";
import { retrying } from "./retrying.js";
import { S3CallError } from "./s3CallError.js";
import { connectS3, type S3Connection, type S3Credentials } from "./s3Connection.js";
import { isNotImplemented, isWorthRetrying, s3Failure } from "./s3Failure.js";
import { parseS3Location, type S3Location } from "./s3Location.js";
import { versionPage } from "./versionRequests.js";

export interface S3BucketOptions {
  /** True: object lock without a default retention. A number: with one of that many days (1 to 36500, GOVERNANCE). */
  objectLock: boolean | number;
}

export interface S3BucketReport {
  bucket: string;
  /** False: it was there before, and was left as it is. */
  created: boolean;
  /** False: put-if-absent does not work there, so backups do and collections do not. */
  conditionalPut: boolean;
}

const RETRY = { baseMs: 200, capMs: 5000, patienceMs: () => 15_000 };
/** The region that must not be named when a bucket is made. */
const NAMELESS_REGION = "us-east-1";

/**
 * Makes the bucket of `location`, with versioning. One that is there already is left as it is (and then tells nothing about
 * itself). Throws `S3_BUCKET_TAKEN`
 * (conflict), `S3_FEATURE_MISSING` (unsupported) for a storage or bucket without versioning or object lock, and the errors
 * of a request.
 */
export async function createS3Bucket(
  location: string,
  { objectLock }: S3BucketOptions,
  credentials?: S3Credentials,
): Promise<S3BucketReport> {
  const place = parseS3Location(location);
  const connection = await connectS3(place, credentials);
  try {
    if (await isThere(connection, place)) return left(place, objectLock);
    return await make(connection, place, objectLock);
  } finally {
    connection.close();
  }
}

async function make(
  connection: S3Connection,
  place: S3Location,
  objectLock: boolean | number,
): Promise<S3BucketReport> {
  await create(connection, place, objectLock !== false);
  await feature(place, "s3:PutBucketVersioning", "versioning", () => enableVersioning(connection));
  const conditionalPut = await tryConditionalPut(connection, place);
  if (typeof objectLock === "number") {
    const verb = "s3:PutBucketObjectLockConfiguration";
    await feature(place, verb, "object lock", () => setRetention(connection, objectLock));
  }
  return { bucket: place.bucket, created: true, conditionalPut };
}

/** Not ours to change. */
function left(place: S3Location, objectLock: boolean | number): S3BucketReport {
  if (objectLock === false) return { bucket: place.bucket, created: false, conditionalPut: true };
  throw withoutFeature(place, "there already", "object lock", undefined);
}

async function isThere(connection: S3Connection, place: S3Location): Promise<boolean> {
  try {
    await send(place, "s3:ListBucket", () => headBucket(connection));
    return true;
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (!(cause instanceof S3CallError)) throw error;
    // 403: somebody else's, or these credentials are wrong: making it will tell.
    if (cause.facts.status === 404 || cause.facts.status === 403 || cause.facts.status === 400) return false;
    throw error;
  }
}

/** Whether a name that is taken is refused, or the first of its versions stays first. Leaves nothing behind, no version either. */
async function tryConditionalPut(connection: S3Connection, place: S3Location): Promise<boolean> {
  const key = `probe/${randomBytes(16).toString("hex")}-bucket`;
  const versions: (string | undefined)[] = [];
  const put = (ifAbsent: boolean) =>
    send(place, "s3:PutObject", async () => {
      versions.push(await putObject(connection, key, new Uint8Array(1), { ifAbsent }));
    });
  try {
    await put(false);
    await put(true);
    let listed: string[] = [];
    await send(place, "s3:ListBucketVersions", async () => {
      listed = (await versionPage(connection, place.prefix + key, undefined)).versions.map(
        ({ versionId }) => versionId,
      );
    });
    return versions[0] !== undefined && listed.length > 1 && listed.at(-1) === versions[0];
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (!(cause instanceof S3CallError)) throw error;
    if (cause.facts.status === 412) return true;
    if (isNotImplemented(cause.facts)) return false;
    throw error;
  } finally {
    for (const version of versions) {
      await send(place, "s3:DeleteObject", () => deleteObject(connection, key, undefined, version)).catch(() => {});
    }
  }
}

async function create(connection: S3Connection, place: S3Location, objectLock: boolean): Promise<void> {
  const region = await connection.region();
  const constraint = region === NAMELESS_REGION ? undefined : region;
  try {
    await send(place, "s3:CreateBucket", () => createBucket(connection, { objectLock, region: constraint }));
  } catch (error) {
    const name = reasonOf(error);
    if (name === "BucketAlreadyOwnedByYou") return; // a lost answer to a request that was repeated
    if (name === "BucketAlreadyExists") throw taken(place, error);
    // Servers of one's own often have regions that nobody has named.
    if (constraint === undefined || !/Location|Region/i.test(name ?? "") || place.endpoint === undefined) throw error;
    await send(place, "s3:CreateBucket", () => createBucket(connection, { objectLock }));
  }
}

async function feature(place: S3Location, verb: string, what: string, run: () => Promise<void>): Promise<void> {
  try {
    await send(place, verb, run);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const refused = cause instanceof S3CallError && (isNotImplemented(cause.facts) || cause.facts.status === 409);
    if (!refused && reasonOf(error) !== "InvalidBucketState" && reasonOf(error) !== "InvalidRequest") throw error;
    throw withoutFeature(place, "made", what, cause);
  }
}

function withoutFeature(place: S3Location, state: string, what: string, cause: unknown): RepriseError {
  const message = `the bucket ${place.bucket} is ${state}, but cannot have ${what}`;
  return new RepriseError("unsupported", "S3_FEATURE_MISSING", message, {
    data: { bucket: place.bucket, feature: what },
    hint: "object lock must be there when a bucket is made: use another bucket, or run init without what this storage lacks",
    cause,
  });
}

async function send(place: S3Location, verb: string, run: () => Promise<void>): Promise<void> {
  try {
    await retrying(run, (error) => error instanceof S3CallError && isWorthRetrying(error.facts), RETRY);
  } catch (error) {
    throw s3Failure(error, { verb, operation: "create", bucket: place.bucket });
  }
}

/** The server's own word for why. */
function reasonOf(error: unknown): string | undefined {
  return isOurError(error) && typeof error.data.reason === "string" ? error.data.reason : undefined;
}

function taken(place: S3Location, cause: unknown): RepriseError {
  return new RepriseError("conflict", "S3_BUCKET_TAKEN", `the bucket ${place.bucket} belongs to somebody else`, {
    data: { bucket: place.bucket },
    hint: "choose another name: bucket names are shared by all users of a storage",
    cause,
  });
}
