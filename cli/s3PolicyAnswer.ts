// `init --print-policy`: what to tell an S3 bucket, as JSON on standard output and nothing else, so that it can be piped.

import {
  DEFAULT_NONCURRENT_DAYS,
  KEEPER_PLACEHOLDER,
  parseS3Location,
  RUNNER_PLACEHOLDER,
  type S3PolicyKind,
  s3Policy,
} from "../core/index.js";
import { type Given, optionName, usageError, wrongValue } from "./given/given.js";
import type { Answer } from "./verb.js";

/** An ARN of a user, a role or an account; the account's number is empty on servers that have none. */
const ARN = /^arn:[^:\s]+:(iam|sts):[^:\s]*:[^:\s]*:\S+$/;

export function s3PolicyAnswer(kind: S3PolicyKind, location: string, given: Given): Answer {
  if (!/^s3:/i.test(location)) {
    throw usageError(
      `--print-policy is about the S3 bucket of a repository, and ${location} is in none`,
      "name it with --repo s3:https://HOST/BUCKET/FOLDER, or s3:BUCKET/FOLDER for AWS",
    );
  }
  const { bucket, prefix, endpoint } = parseS3Location(location);
  const document = s3Policy(kind, {
    bucket,
    prefix,
    runner: principalOf(kind, "runner", given) ?? RUNNER_PLACEHOLDER,
    keeper: principalOf(kind, "keeper", given) ?? KEEPER_PLACEHOLDER,
    conditionalPuts: endpoint === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname),
    noncurrentDays: DEFAULT_NONCURRENT_DAYS,
  });
  return { document: { policy: document }, lines: JSON.stringify(document, null, 2).split("\n") };
}

function principalOf(kind: S3PolicyKind, name: "runner" | "keeper", given: Given): string | undefined {
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
