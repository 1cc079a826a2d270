// What a failed request means: whether it is worth another try, and which error of ours it becomes when it is not.

import { type ErrorDetails, type ErrorFamily, isAbort, isOurError, RepriseError } from "../../errors.js";
import { S3CallError, type S3CallFacts } from "./s3CallError.js";

/** What was being done, for messages: `verb` is the permission that S3 policies name. */
export interface S3Request {
  verb: string;
  /** Operation of the Backend interface, or of `init --create-bucket`. */
  operation: string;
  endpoint: string;
  bucket: string;
  /** Our key or prefix; undefined: about the bucket. */
  key?: string;
}

const TLS_CODES = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO$)/;
const NOBODY_THERE: ReadonlySet<string | undefined> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);
const UNKNOWN_HOST: ReadonlySet<string> = new Set(["ENOTFOUND", "ERR_INVALID_URL"]);
/** Answers with a 4xx that another try may mend: the request was too slow, collided, or changed on its way. */
const RETRIED_NAMES: ReadonlySet<string> = new Set([
  "RequestTimeout",
  "RequestTimeoutException",
  "RequestTimeTooSkewed",
  "ConditionalRequestConflict",
  "OperationAborted",
  "Throttling",
  "ThrottlingException",
  "SlowDown",
  "TooManyRequests",
  "BadDigest",
  "InvalidDigest",
  "XAmzContentSHA256Mismatch",
  "IncompleteBody",
]);
const FULL_NAMES: ReadonlySet<string> = new Set(["QuotaExceeded", "InsufficientStorage", "InsufficientCapacity"]);
const CREDENTIAL_NAMES: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "AuthorizationHeaderMalformed",
  "InvalidSecurity",
]);
const TOKEN_NAMES: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidToken",
  "TokenRefreshRequired",
  "InvalidClientTokenId",
]);
const NO_CREDENTIALS: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError"]);

/** True when the same request may succeed when it is sent again. */
export function isWorthRetrying(facts: S3CallFacts): boolean {
  const { name, status, systemCode } = facts;
  if (NO_CREDENTIALS.has(name) || FULL_NAMES.has(name) || isNotImplemented(facts)) return false;
  if (RETRIED_NAMES.has(name)) return true;
  if (status !== undefined && status >= 400)
    return status === 408 || status === 429 || (status >= 500 && status !== 507);
  if (systemCode !== undefined && (TLS_CODES.test(systemCode) || UNKNOWN_HOST.has(systemCode))) return false;
  return true; // no answer, or one that was cut off
}

/** The connection was refused, or there is no way to the host: an answer at once, not a silence. */
export function isNobodyThere({ status, systemCode }: S3CallFacts): boolean {
  return status === undefined && NOBODY_THERE.has(systemCode);
}

/** The storage does not know what was asked of it. */
export function isNotImplemented({ name, status }: S3CallFacts): boolean {
  return name === "NotImplemented" || status === 501;
}

/** What to throw for an error of a request: our own errors and aborts unchanged. */
export function s3Failure(error: unknown, request: S3Request): unknown {
  if (isOurError(error) || isAbort(error)) return error;
  const facts = error instanceof S3CallError ? error.facts : undefined;
  if (facts === undefined) return failed(request, "STORAGE_FAILED", String(error), { cause: error });
  const { status, systemCode, requestId } = facts;
  const { verb, ...about } = request;
  const data = { ...about, verb, reason: facts.name, status, systemError: systemCode, requestId };
  return explain(facts, request, { data, cause: error });
}

type Explanation = [family: ErrorFamily, code: string, message: string, hint: string, retry?: "later"];

function explain(facts: S3CallFacts, request: S3Request, details: ErrorDetails): RepriseError {
  const explanation = explainCredentials(facts) ?? explainBucket(facts, request) ?? explainConnection(facts, request);
  if (explanation === undefined) {
    const retry = isWorthRetrying(facts) ? "later" : "never";
    return failed(request, "STORAGE_FAILED", sentence(facts), { ...details, retry });
  }
  const [family, code, message, hint, retry] = explanation;
  return new RepriseError(family, code, message, { ...details, hint, retry });
}

function explainCredentials(facts: S3CallFacts): Explanation | undefined {
  const { name } = facts;
  if (NO_CREDENTIALS.has(name)) {
    const hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or ?profile=NAME in the location";
    return ["usage", "S3_CREDENTIALS_MISSING", `no usable credentials for S3: ${facts.message}`, hint];
  }
  if (TOKEN_NAMES.has(name)) {
    const hint = "get new temporary credentials (for example aws sso login), then run the command again";
    return ["backend", "S3_TOKEN_EXPIRED", `the S3 session token is refused: ${sentence(facts)}`, hint];
  }
  if (CREDENTIAL_NAMES.has(name)) {
    const hint = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile, and region= in the location";
    return ["backend", "S3_CREDENTIALS_WRONG", `S3 refuses these credentials: ${sentence(facts)}`, hint];
  }
  if (name === "RequestTimeTooSkewed") {
    const hint = "set this machine's clock (for example with NTP)";
    return ["backend", "S3_CLOCK_SKEW", `this machine's clock is too far from the S3 server's`, hint];
  }
  return undefined;
}

function explainBucket(facts: S3CallFacts, request: S3Request): Explanation | undefined {
  const { name, status } = facts;
  const { bucket } = request;
  if (name === "NoSuchBucket") {
    const hint = "check the location; `init --create-bucket` makes the bucket of a new repository";
    return ["not-found", "S3_BUCKET_MISSING", `there is no bucket ${bucket}`, hint];
  }
  if (name === "PermanentRedirect" || name === "IllegalLocationConstraintException" || status === 301) {
    const hint = "give region= in the location, or its own endpoint";
    return ["usage", "S3_REGION_WRONG", `the bucket ${bucket} is in another region`, hint];
  }
  if (FULL_NAMES.has(name) || status === 507) {
    const hint = "raise the quota or free space, or run reprise prune and reprise gc, then try again";
    return ["backend", "STORAGE_FULL", `no space for ${subject(request)}: ${sentence(facts)}`, hint, "later"];
  }
  if (name === "AccessDenied" || name === "AllAccessDisabled" || status === 403 || status === 401) {
    const hint = `allow ${request.verb} for these credentials in the bucket's or the user's policy`;
    return ["backend", "STORAGE_ACCESS_DENIED", `not allowed: ${request.verb} on ${subject(request)}`, hint];
  }
  return undefined;
}

function explainConnection(facts: S3CallFacts, request: S3Request): Explanation | undefined {
  const { status, systemCode, name } = facts;
  const { endpoint } = request;
  if (status !== undefined && status >= 400) return undefined;
  if (systemCode !== undefined && TLS_CODES.test(systemCode)) {
    const hint =
      "for a certificate of your own, give ca=FILE in the location or set AWS_CA_BUNDLE; check http and https";
    return ["backend", "STORAGE_TLS_FAILED", `no trusted connection to ${endpoint}: ${sentence(facts)}`, hint];
  }
  if (systemCode !== undefined && UNKNOWN_HOST.has(systemCode)) {
    const message = `the host of ${endpoint} is unknown: ${facts.message}`;
    return ["backend", "STORAGE_UNREACHABLE", message, "check the endpoint in the location", "later"];
  }
  if (isNobodyThere(facts)) {
    const message = `the storage at ${endpoint} cannot be reached: ${sentence(facts)}`;
    const hint = "check that its server runs, and the endpoint (host and port) in the location; then try again";
    return ["backend", "STORAGE_UNREACHABLE", message, hint, "later"];
  }
  if (systemCode !== undefined || name === "TimeoutError") {
    const message = `the storage at ${endpoint} does not answer: ${sentence(facts)}`;
    const hint = "check the network, and the endpoint in the location; then try again";
    return ["backend", "STORAGE_UNREACHABLE", message, hint, "later"];
  }
  return undefined;
}

function failed(request: S3Request, code: string, why: string, details: ErrorDetails): RepriseError {
  return new RepriseError("backend", code, `${request.operation} of ${subject(request)} failed: ${why}`, details);
}

function subject({ bucket, key }: S3Request): string {
  return key === undefined || key === "" ? `bucket ${bucket}` : `${key} in bucket ${bucket}`;
}

/** The server's or the system's words. */
export function sentence({ name, message, systemCode }: S3CallFacts): string {
  if (message === "" || message === name) return systemCode ?? name;
  return name === "Error" ? message : `${name}, ${message}`;
}
