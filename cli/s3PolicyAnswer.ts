// `init --print-policy`: what to tell an S3 bucket (JSON) or the proxy in front of one, on standard output and nothing else, so that it
// can be piped.

import { isIP } from "node:net";
import {
  DEFAULT_NONCURRENT_DAYS,
  haproxyConfig,
  KEEPER_PLACEHOLDER,
  parseS3Location,
  RUNNER_PLACEHOLDER,
  S3_POLICY_KINDS,
  s3Policy,
} from "../core/index.js";
import { type Given, optionName, usageError, wrongValue } from "./given/given.js";
import type { Answer } from "./verb.js";

/** An ARN of a user, a role or an account; the account's number is empty on servers that have none. */
const ARN = /^arn:[^:\s]+:(iam|sts):[^:\s]*:[^:\s]*:\S+$/;

type S3Place = Pick<ReturnType<typeof parseS3Location>, "bucket" | "prefix" | "endpoint">;

export const PRINTED_KINDS = [...S3_POLICY_KINDS, "haproxy"] as const;
export type PrintedKind = (typeof PRINTED_KINDS)[number];

export function s3PolicyAnswer(kind: PrintedKind, location: string, given: Given): Answer {
  if (!/^s3:/i.test(location)) {
    throw usageError(
      `--print-policy is about the S3 bucket of a repository, and ${location} is in none`,
      "name it with --repo s3:https://HOST/BUCKET/FOLDER, or s3:BUCKET/FOLDER for AWS",
    );
  }
  const { bucket, prefix, endpoint } = parseS3Location(location);
  const runner = principalOf(kind, "runner", given);
  const keeper = principalOf(kind, "keeper", given);
  const proxy = proxyOf(kind, given);
  if (kind === "haproxy") return haproxyAnswer({ bucket, prefix, endpoint });
  const document = s3Policy(kind, {
    bucket,
    prefix,
    runner: runner ?? RUNNER_PLACEHOLDER,
    keeper: keeper ?? KEEPER_PLACEHOLDER,
    ...(proxy === undefined ? {} : { proxy }),
    conditionalPuts: endpoint === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname),
    noncurrentDays: DEFAULT_NONCURRENT_DAYS,
  });
  return { document: { policy: document }, lines: JSON.stringify(document, null, 2).split("\n") };
}

function haproxyAnswer({ bucket, prefix, endpoint }: S3Place): Answer {
  if (endpoint === undefined) {
    throw usageError(
      "--print-policy haproxy is for a server of your own, and the location names none",
      "on AWS the policy of --print-policy s3-bucket refuses overwriting by itself",
    );
  }
  const { protocol, hostname: host, port } = new URL(endpoint);
  const tls = protocol === "https:";
  const text = haproxyConfig({ bucket, prefix, server: { host, port: Number(port || (tls ? 443 : 80)), tls } });
  return { document: { policy: text }, lines: text.trimEnd().split("\n") };
}

function proxyOf(kind: PrintedKind, given: Given): string | undefined {
  const range = given.text("proxy");
  if (range === undefined) return undefined;
  if (kind !== "s3-bucket" && kind !== "s3-runner") {
    throw usageError(`${optionName("proxy")} is for --print-policy s3-bucket and s3-runner`);
  }
  const [address = "", bits = "0", ...rest] = range.split("/");
  const most = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most) return range;
  throw wrongValue(optionName("proxy"), range, "an address or a range such as 192.0.2.7 or 192.0.2.0/28");
}

function principalOf(kind: PrintedKind, name: "runner" | "keeper", given: Given): string | undefined {
  const arn = given.text(name);
  if (arn === undefined) return undefined;
  if (kind !== "s3-bucket")
    throw usageError(
      `${optionName(name)} is for --print-policy s3-bucket`,
      `${kind} is given to a user, and names none`,
    );
  if (ARN.test(arn)) return arn;
  throw wrongValue(optionName(name), arn, "an ARN such as arn:aws:iam::123456789012:user/backup");
}
