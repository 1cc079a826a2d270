// From what a user writes to an S3 place and its options, and back. Credentials are refused here: they come from the
// environment, a profile or the machine's role (docs/storage-s3.md). Nothing of a refused location is repeated.

import { RepriseError } from "../../errors.js";
import { isObjectKey, MAX_KEY_LENGTH } from "../objectKey.js";

export interface S3Location {
  /** `https://host[:port]`; undefined: AWS, or what AWS_ENDPOINT_URL says. */
  endpoint: string | undefined;
  bucket: string;
  /** Before every key; empty, or with a final slash. */
  prefix: string;
  region: string | undefined;
  /** Bucket in the path and not in the host name; undefined: by the endpoint. */
  pathStyle: boolean | undefined;
  storageClass: string | undefined;
  encryption: "AES256" | "aws:kms" | undefined;
  encryptionKeyId: string | undefined;
  /** PEM file with certificates to trust besides the usual ones. */
  caFile: string | undefined;
  /** Of `~/.aws/config` and `~/.aws/credentials`. */
  profile: string | undefined;
  /** Requests under way at once, 1 to 256. */
  connections: number;
  /** Undefined: no limit. */
  requestsPerSecond: number | undefined;
  /** Seconds without a byte after which a request counts as lost. */
  timeoutSeconds: number;
}

export const DEFAULT_CONNECTIONS = 16;
export const DEFAULT_TIMEOUT_SECONDS = 30;
const MAX_CONNECTIONS = 256;
const MAX_TIMEOUT_SECONDS = 3600;
/** S3 takes keys of 1024 bytes; ours have at most 512. */
const MAX_PREFIX_LENGTH = 1024 - MAX_KEY_LENGTH - 1;

const OPTIONS = [
  "region",
  "path-style",
  "storage-class",
  "sse",
  "sse-kms-key-id",
  "ca",
  "profile",
  "connections",
  "requests-per-second",
  "timeout",
] as const;
type OptionName = (typeof OPTIONS)[number];

// Older buckets have capitals and underscores.
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
const WORD = /^[A-Za-z0-9_.:/@+=,-]{1,2048}$/;

/**
 * Reads `s3:https://endpoint/bucket/prefix?option=value`, `s3:bucket/prefix` or `s3://bucket/prefix`. Throws
 * `STORAGE_LOCATION_INVALID` (usage).
 */
export function parseS3Location(text: string): S3Location {
  const rest = text.replace(/^s3:/i, "");
  const { endpoint, path, query } = /^https?:\/\//i.test(rest) ? splitUrl(rest) : splitPath(rest.replace(/^\/\//, ""));
  const [bucket = "", ...parts] = path.replace(/\/+$/, "").split("/");
  if (!BUCKET.test(bucket)) throw invalid("the bucket's name is missing or is none");
  if (parts.includes("")) throw invalid("a part of its path is empty: two slashes follow each other");
  const prefix = parts.join("/");
  if (prefix !== "" && (!isObjectKey(prefix) || prefix.length > MAX_PREFIX_LENGTH)) {
    throw invalid("the folder behind the bucket has other characters than letters, digits, . _ - or is too long");
  }
  return { endpoint, bucket, prefix: prefix === "" ? "" : `${prefix}/`, ...readOptions(query) };
}

/** The place without its options: for messages. */
export function describeS3Location({ endpoint, bucket, prefix }: S3Location): string {
  const place = prefix === "" ? bucket : `${bucket}/${prefix.slice(0, -1)}`;
  return endpoint === undefined ? `s3:${place}` : `s3:${endpoint}/${place}`;
}

/** The server, for messages. */
export function endpointOf({ endpoint, region }: S3Location): string {
  const { AWS_ENDPOINT_URL_S3: ofS3, AWS_ENDPOINT_URL: ofAll } = process.env;
  return endpoint ?? ofS3 ?? ofAll ?? (region === undefined ? "AWS S3" : `AWS S3 in ${region}`);
}

interface Split {
  endpoint: string | undefined;
  path: string;
  query: URLSearchParams;
}

function splitUrl(text: string): Split {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid("the endpoint is not a URL");
  }
  if (url.username !== "" || url.password !== "") throw credentialsInLocation();
  if (url.hash !== "") throw invalid("there is a # in it");
  if (/\/\.{1,2}([/?]|$)/.test(text)) throw invalid("there is a . or .. in its path");
  return { endpoint: url.origin, path: url.pathname.slice(1), query: url.searchParams };
}

function splitPath(text: string): Split {
  if (text.includes("#")) throw invalid("there is a # in it");
  const at = text.indexOf("?");
  const path = at < 0 ? text : text.slice(0, at);
  if (path.includes("@") || path.includes(":")) throw credentialsInLocation();
  return { endpoint: undefined, path, query: new URLSearchParams(at < 0 ? "" : text.slice(at + 1)) };
}

function readOptions(query: URLSearchParams): Omit<S3Location, "endpoint" | "bucket" | "prefix"> {
  for (const name of query.keys()) {
    if (!OPTIONS.includes(name as OptionName)) throw invalid(`it has an option that is none of ${OPTIONS.join(", ")}`);
    if (query.getAll(name).length > 1) throw invalid(`it has ${name} twice`);
  }
  const encryption = readChoice(query, "sse", ["AES256", "aws:kms"] as const);
  const encryptionKeyId = readWord(query, "sse-kms-key-id");
  if (encryptionKeyId !== undefined && encryption !== "aws:kms") throw invalid("sse-kms-key-id needs sse=aws:kms");
  const pathStyle = readChoice(query, "path-style", ["true", "false"] as const);
  return {
    region: readWord(query, "region"),
    pathStyle: pathStyle === undefined ? undefined : pathStyle === "true",
    storageClass: readWord(query, "storage-class"),
    encryption,
    encryptionKeyId,
    caFile: readText(query, "ca"),
    profile: readText(query, "profile"),
    connections: readNumber(query, "connections", MAX_CONNECTIONS) ?? DEFAULT_CONNECTIONS,
    requestsPerSecond: readNumber(query, "requests-per-second", 1_000_000),
    timeoutSeconds: readNumber(query, "timeout", MAX_TIMEOUT_SECONDS) ?? DEFAULT_TIMEOUT_SECONDS,
  };
}

function readText(query: URLSearchParams, name: OptionName): string | undefined {
  const value = query.get(name) ?? undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (value === "" || (value !== undefined && /[\0-\x1f]/.test(value))) throw invalid(`${name} has no usable value`);
  return value;
}

function readWord(query: URLSearchParams, name: OptionName): string | undefined {
  const value = readText(query, name);
  if (value !== undefined && !WORD.test(value)) throw invalid(`${name} has no usable value`);
  return value;
}

function readChoice<T extends string>(query: URLSearchParams, name: OptionName, choices: readonly T[]): T | undefined {
  const value = readText(query, name);
  if (value === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw invalid(`${name} must be ${choices.join(" or ")}`);
  return choice;
}

function readNumber(query: URLSearchParams, name: OptionName, highest: number): number | undefined {
  const value = readText(query, name);
  if (value === undefined) return undefined;
  const number = /^[0-9]{1,7}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > highest) throw invalid(`${name} must be a number from 1 to ${highest}`);
  return number;
}

function invalid(why: string): RepriseError {
  return new RepriseError("usage", "STORAGE_LOCATION_INVALID", `this S3 location makes no sense: ${why}`, {
    hint: "write s3:https://HOST/BUCKET/FOLDER, or s3:BUCKET/FOLDER for AWS; docs/storage-s3.md has the options",
  });
}

function credentialsInLocation(): RepriseError {
  return new RepriseError("usage", "STORAGE_LOCATION_INVALID", "an S3 location must not hold credentials", {
    hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with ?profile=NAME; and change a key that was typed into a command line",
  });
}
