// `init --create-bucket`: makes the bucket with versioning on, so that whoever may only write cannot destroy what was
// there before; with object lock where asked for. Some servers (Ceph up to 16 at least) forget If-None-Match in versioned
// buckets: there the first version decides.

import { randomBytes } from "node:crypto";
import { isOurError, RepriseError } from "../../errors.js";
import type { StorageRetry } from "../backend.js";
import { createBucket, enableVersioning, headBucket, setRetention } from "./bucketRequests.js";
import { deleteObject, putObject } from "./objectRequests.js";
import { RequestSender } from "./requestSender.js";
import { S3CallError } from "./s3CallError.js";
import { connectS3, type S3Connection, type S3Credentials } from "./s3Connection.js";
import { isNotImplemented } from "./s3Failure.js";
import { parseS3Location, type S3Location } from "./s3Location.js";
import { versionPage } from "./versionRequests.js";

export interface S3BucketOptions {
  /** True: object lock without a default retention. A number: with one of that many days (1 to 36500, GOVERNANCE). */
  objectLock: boolean | number;
  signal?: AbortSignal;
  onRetry?: (retry: StorageRetry) => void;
}

export interface S3BucketReport {
  bucket: string;
  /** False: it was there before, and was left as it is. */
  created: boolean;
  /** False: put-if-absent does not work there, so backups do and collections do not. */
  conditionalPut: boolean;
}

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
  options: S3BucketOptions,
  credentials?: S3Credentials,
): Promise<S3BucketReport> {
  const connection = await connectS3(parseS3Location(location), credentials);
  try {
    const maker = new BucketMaker(connection, options);
    return (await maker.isThere()) ? maker.left() : await maker.make();
  } finally {
    connection.close();
  }
}

class BucketMaker {
  readonly #connection: S3Connection;
  readonly #place: S3Location;
  readonly #sender: RequestSender;
  readonly #objectLock: boolean | number;
  readonly #signal: AbortSignal | undefined;

  constructor(connection: S3Connection, { objectLock, signal, onRetry }: S3BucketOptions) {
    this.#connection = connection;
    this.#place = connection.location;
    this.#sender = new RequestSender(connection.location, { onRetry });
    this.#objectLock = objectLock;
    this.#signal = signal;
  }

  async isThere(): Promise<boolean> {
    try {
      await this.#send("HEAD", "s3:ListBucket", (signal) => headBucket(this.#connection, signal));
      return true;
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!(cause instanceof S3CallError)) throw error;
      // 403: somebody else's, or these credentials are wrong: making it will tell.
      if (cause.facts.status === 404 || cause.facts.status === 403 || cause.facts.status === 400) return false;
      throw error;
    }
  }

  /** Not ours to change. */
  left(): S3BucketReport {
    const { bucket } = this.#place;
    if (this.#objectLock === false) return { bucket, created: false, conditionalPut: true };
    throw withoutFeature(this.#place, "there already", "object lock", undefined);
  }

  async make(): Promise<S3BucketReport> {
    const days = this.#objectLock;
    await this.#create();
    await this.#feature("s3:PutBucketVersioning", "versioning", (signal) => enableVersioning(this.#connection, signal));
    const conditionalPut = await this.#tryConditionalPut();
    if (typeof days === "number") {
      const verb = "s3:PutBucketObjectLockConfiguration";
      await this.#feature(verb, "object lock", (signal) => setRetention(this.#connection, days, signal));
    }
    return { bucket: this.#place.bucket, created: true, conditionalPut };
  }

  /** Whether a name that is taken is refused, or the first of its versions stays first. Leaves nothing behind, no version either. */
  async #tryConditionalPut(): Promise<boolean> {
    const connection = this.#connection;
    const key = `probe/${randomBytes(16).toString("hex")}-bucket`;
    const made: (string | undefined)[] = [];
    const put = async (ifAbsent: boolean) => {
      const bytes = new Uint8Array(1);
      const attempt = (signal?: AbortSignal) => putObject(connection, key, bytes, { ifAbsent }, signal);
      made.push(await this.#send("PUT", "s3:PutObject", attempt));
    };
    try {
      await put(false);
      await put(true);
      const fullKey = this.#place.prefix + key;
      const { versions } = await this.#send("LIST", "s3:ListBucketVersions", (signal) =>
        versionPage(connection, fullKey, undefined, signal),
      );
      return made[0] !== undefined && versions.length > 1 && versions.at(-1)?.versionId === made[0];
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!(cause instanceof S3CallError)) throw error;
      if (cause.facts.status === 412) return true;
      if (isNotImplemented(cause.facts)) return false;
      throw error;
    } finally {
      for (const version of made) {
        const remove = (signal?: AbortSignal) => deleteObject(connection, key, signal, version);
        await this.#send("DELETE", "s3:DeleteObject", remove).catch(() => {});
      }
    }
  }

  async #create(): Promise<void> {
    const objectLock = this.#objectLock !== false;
    const region = await this.#connection.region();
    const constraint = region === NAMELESS_REGION ? undefined : region;
    const create = (named: string | undefined) =>
      this.#send("PUT", "s3:CreateBucket", (signal) =>
        createBucket(this.#connection, { objectLock, region: named }, signal),
      );
    try {
      await create(constraint);
    } catch (error) {
      const name = reasonOf(error);
      if (name === "BucketAlreadyOwnedByYou") return; // a lost answer to a request that was repeated
      if (name === "BucketAlreadyExists") throw taken(this.#place, error);
      // Servers of one's own often have regions that nobody has named.
      const isOwn = this.#place.endpoint !== undefined;
      if (constraint === undefined || !/Location|Region/i.test(name ?? "") || !isOwn) throw error;
      await create(undefined);
    }
  }

  async #feature(verb: string, what: string, attempt: (signal?: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await this.#send("PUT", verb, attempt);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      const refused = cause instanceof S3CallError && (isNotImplemented(cause.facts) || cause.facts.status === 409);
      if (!refused && reasonOf(error) !== "InvalidBucketState" && reasonOf(error) !== "InvalidRequest") throw error;
      throw withoutFeature(this.#place, "made", what, cause);
    }
  }

  #send<T>(kind: string, verb: string, attempt: (signal?: AbortSignal) => Promise<T>): Promise<T> {
    return this.#sender.send(kind, this.#sender.about(verb, "create"), { signal: this.#signal }, attempt);
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
