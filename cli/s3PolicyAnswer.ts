// `init --print-policy`: what to tell an S3 bucket, as JSON on standard output and nothing else, so that it can be piped.

import {
  DEFAULT_NONCURRENT_DAYS,
  KEEPER_PLACEHOLDER,
  parseS3Location,
  RUNNER_PLACEHOLDER,
  type S3PolicyKind,
  s3Policy,
} from "../core/index.js";
import type { Given } from "./given/given.js";
import type { Answer } from "./verb.js";

export function s3PolicyAnswer(kind: S3PolicyKind, location: string, given: Given): Answer {
  const { bucket, prefix, endpoint } = parseS3Location(location);
  const document = s3Policy(kind, {
    bucket,
    prefix,
    runner: given.text("runner") ?? RUNNER_PLACEHOLDER,
    keeper: given.text("keeper") ?? KEEPER_PLACEHOLDER,
    conditionalPuts: endpoint === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname),
    noncurrentDays: DEFAULT_NONCURRENT_DAYS,
  });
  return { document: { policy: document }, lines: JSON.stringify(document, null, 2).split("\n") };
}
