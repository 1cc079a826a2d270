// The one file that knows the AWS SDK, loaded when the first s3: location is opened: one client for one bucket, and how a
// single request is sent. Tried once; what it throws is a S3CallError with plain facts, or the abort of its signal.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { getCACertificates } from "node:tls";
import type * as Sdk from "@aws-sdk/client-s3";
import { RepriseError } from "../../errors.js";
import { callErrorOf } from "./s3CallError.js";
import type { S3Location } from "./s3Location.js";

/** Given by a caller that keeps secrets itself; else the SDK's chain: environment, profile, SSO, web identity, role. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export type AwsSdk = typeof Sdk;
export type StorageClass = Sdk.StorageClass;
export type BucketLocationConstraint = Sdk.BucketLocationConstraint;

type S3Command<In extends Sdk.ServiceInputTypes, Out extends Sdk.ServiceOutputTypes> = Sdk.$Command<
  In,
  Out,
  Sdk.S3ClientResolvedConfig
>;

interface ConnectionState {
  sdk: AwsSdk;
  client: Sdk.S3Client;
  location: S3Location;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** An answer that drips is no silence: slower than this it counts as hanging. */
const SLOWEST_BYTES_PER_MS = 4;
/** Time for one request besides that for its bytes, in times of silence that are allowed. */
const ATTEMPT_SILENCES = 4;

/** Sends nothing. STORAGE_LOCATION_INVALID without a region, S3_CA_UNREADABLE. */
export async function connectS3(location: S3Location, credentials?: S3Credentials): Promise<S3Connection> {
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
  const connection = new S3Connection({ sdk, client, location });
  await connection.checkRegion();
  return connection;
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

export class S3Connection {
  /** For its commands. */
  readonly sdk: AwsSdk;
  readonly location: S3Location;
  readonly #client: Sdk.S3Client;

  constructor({ sdk, client, location }: ConnectionState) {
    this.sdk = sdk;
    this.location = location;
    this.#client = client;
  }

  /** STORAGE_LOCATION_INVALID when neither the location nor the environment nor the profile names a region. */
  async checkRegion(): Promise<void> {
    try {
      await this.region();
    } catch {
      throw new RepriseError("usage", "STORAGE_LOCATION_INVALID", "the S3 location names no region", {
        hint: "add ?region=NAME to the location, or set AWS_REGION",
      });
    }
  }

  /** The region in use. */
  async region(): Promise<string> {
    return await this.#client.config.region();
  }

  get bucket(): string {
    return this.location.bucket;
  }

  /** What a command about one object says first. */
  nameOf(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.location.bucket, Key: this.location.prefix + key };
  }

  /** One request whose answer is small. `bytesUp`: what it carries; it gets the time for that. */
  async send<In extends Sdk.ServiceInputTypes, Out extends Sdk.ServiceOutputTypes>(
    command: S3Command<In, Out>,
    signal?: AbortSignal,
    bytesUp = 0,
  ): Promise<Out> {
    return await this.receive(command, signal, async (answer) => answer, bytesUp);
  }

  /**
   * One request whose answer `read` takes in before it counts as ended; `allowTimeFor` once its length is known. Even an answer of
   * single bytes cannot outlast the time limit.
   */
  async receive<In extends Sdk.ServiceInputTypes, Out extends Sdk.ServiceOutputTypes, Result>(
    command: S3Command<In, Out>,
    signal: AbortSignal | undefined,
    read: (answer: Out, allowTimeFor: (bytes: number) => void) => Promise<Result>,
    bytesUp = 0,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const abort = () => controller.abort();
    signal?.addEventListener("abort", abort, { once: true });
    const baseMs = ATTEMPT_SILENCES * 1000 * this.location.timeoutSeconds;
    let timer = setTimeout(abort, baseMs + bytesUp / SLOWEST_BYTES_PER_MS);
    const allowTimeFor = (bytes: number) => {
      clearTimeout(timer);
      timer = setTimeout(abort, baseMs + bytes / SLOWEST_BYTES_PER_MS);
    };
    try {
      return await read(await this.#client.send(command, { abortSignal: controller.signal }), allowTimeFor);
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

  close(): void {
    this.#client.destroy();
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
