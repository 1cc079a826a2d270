// `init --create-bucket`: makes the bucket with versioning on, so that whoever may only write cannot destroy what was
// there before; with object lock where asked for.

import { isOurError, RepriseError } from "../../errors.js";
import { retrying } from "./retrying.js";
import { S3CallError } from "./s3CallError.js";
import { connectS3, type S3Client, type S3Credentials } from "./s3Client.js";
import { isNotImplemented, isWorthRetrying, s3Failure } from "./s3Failure.js";
import { parseS3Location, type S3Location } from "./s3Location.js";

export interface S3BucketOptions {
  /** True: object lock without a default retention. A number: with one of that many days (1 to 36500, GOVERNANCE). */
  objectLock: boolean | number;
}

const RETRY = { baseMs: 200, capMs: 5000, patienceMs: () => 15_000 };
/** The region that must not be named when a bucket is made. */
const NAMELESS_REGION = "us-east-1";

/**
 * Makes the bucket of `location`, or sets up one that belongs to these credentials already; both may be repeated. Throws
 * `S3_BUCKET_TAKEN` (conflict), `S3_FEATURE_MISSING` (unsupported) for a storage without versioning or object lock, and
 * the errors of a request.
 */
export async function createS3Bucket(
  location: string,
  options: S3BucketOptions,
  credentials?: S3Credentials,
): Promise<void> {
  const place = parseS3Location(location);
  const client = await connectS3(place, credentials);
  try {
    await createOrAdopt(client, place, options.objectLock !== false);
    await feature(place, "s3:PutBucketVersioning", "versioning", () => client.enableVersioning());
    const { objectLock } = options;
    if (typeof objectLock !== "number") return;
    await feature(place, "s3:PutBucketObjectLockConfiguration", "object lock", () => client.setRetention(objectLock));
  } finally {
    client.close();
  }
}

async function createOrAdopt(client: S3Client, place: S3Location, objectLock: boolean): Promise<void> {
  const region = await client.region();
  const constraint = region === NAMELESS_REGION ? undefined : region;
  try {
    await send(place, "s3:CreateBucket", () => client.createBucket({ objectLock, region: constraint }));
  } catch (error) {
    const name = reasonOf(error);
    if (name === "BucketAlreadyOwnedByYou") return;
    if (name === "BucketAlreadyExists") throw taken(place, error);
    // Servers of one's own often have regions that nobody has named.
    if (constraint === undefined || !/Location|Region/i.test(name ?? "") || place.endpoint === undefined) throw error;
    await send(place, "s3:CreateBucket", () => client.createBucket({ objectLock }));
  }
}

async function feature(place: S3Location, verb: string, what: string, run: () => Promise<void>): Promise<void> {
  try {
    await send(place, verb, run);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const refused = cause instanceof S3CallError && (isNotImplemented(cause.facts) || cause.facts.status === 409);
    if (!refused && reasonOf(error) !== "InvalidBucketState" && reasonOf(error) !== "InvalidRequest") throw error;
    const message = `the bucket ${place.bucket} was made, but cannot have ${what}`;
    throw new RepriseError("unsupported", "S3_FEATURE_MISSING", message, {
      data: { bucket: place.bucket, feature: what },
      hint: "object lock must be there when a bucket is made: use another bucket; or run init without what this storage lacks",
      cause,
    });
  }
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
