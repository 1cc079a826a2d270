// What an S3 bucket must be told so that a runner can back up and restore but destroy nothing: policies and lifecycle rules as
// plain JSON. Pure. What servers make of them, and what only versioning undoes: docs/roles.md.

export const S3_POLICY_KINDS = ["s3-bucket", "s3-runner", "s3-keeper", "s3-lifecycle"] as const;
export type S3PolicyKind = (typeof S3_POLICY_KINDS)[number];

export interface S3PolicyOptions {
  bucket: string;
  /** Of the repository in the bucket; empty, or with a final slash. */
  prefix: string;
  /** Who is meant, for the policy of the bucket: `arn:aws:iam::123456789012:user/runner`. */
  runner: string;
  keeper: string;
  /** AWS knows a condition that refuses overwriting; other servers may refuse the whole policy for it. */
  conditionalPuts: boolean;
  /** Address or range of the proxy (haproxyConfig.ts) that a runner must write through; absent: there is none. */
  proxy?: string;
  /** How long versions that were overwritten or deleted can be brought back. */
  noncurrentDays: number;
}

export const DEFAULT_NONCURRENT_DAYS = 30;
export const RUNNER_PLACEHOLDER = "arn:aws:iam::ACCOUNT:user/RUNNER";
export const KEEPER_PLACEHOLDER = "arn:aws:iam::ACCOUNT:user/KEEPER";

const ABORT_MULTIPART_DAYS = 2;
/** What a runner may write; each of its objects once, but for announcements. */
export const WRITTEN_ONCE = ["packs/*", "index/*", "snapshots/*", "records/*", "quarantine/*"];
export const OVERWRITTEN = ["sessions/*"];
/** What takes space when it is deleted. A pack that was overwritten has to be brought back in time: gc warns. */
const EXPIRING = ["packs/", "index/", "sessions/", "probe/", "parked/"];

/** Whatever other policies allow a runner: never these. */
const NEVER_OBJECTS = [
  "s3:DeleteObject",
  "s3:DeleteObjectVersion",
  "s3:PutObjectRetention",
  "s3:PutObjectLegalHold",
  "s3:BypassGovernanceRetention",
  "s3:PutObjectAcl",
  "s3:PutObjectVersionAcl",
  "s3:PutObjectTagging",
  "s3:PutObjectVersionTagging",
  "s3:DeleteObjectTagging",
  "s3:DeleteObjectVersionTagging",
];
const NEVER_BUCKET = [
  "s3:DeleteBucket",
  "s3:DeleteBucketPolicy",
  "s3:PutBucketPolicy",
  "s3:PutBucketAcl",
  "s3:PutBucketVersioning",
  "s3:PutLifecycleConfiguration",
  "s3:PutBucketObjectLockConfiguration",
];

interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal?: { AWS: string[] };
  Action: string[];
  Resource?: string[];
  NotResource?: string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** The document of one kind. `s3-bucket` is for the bucket and names both roles; `s3-runner` and `s3-keeper` are for a user or role. */
export function s3Policy(kind: S3PolicyKind, options: S3PolicyOptions): unknown {
  const place = new Place(options);
  switch (kind) {
    case "s3-runner":
      return policyDocument(runnerStatements(place, options));
    case "s3-keeper":
      return policyDocument(keeperStatements(place));
    case "s3-bucket":
      return policyDocument([
        ...runnerStatements(place, options).map((statement) => forPrincipal(statement, options.runner)),
        ...keeperStatements(place).map((statement) => forPrincipal(statement, options.keeper)),
      ]);
    case "s3-lifecycle":
      return lifecycle(options);
  }
}

class Place {
  readonly bucket: string;
  readonly #prefix: string;

  constructor({ bucket, prefix }: Pick<S3PolicyOptions, "bucket" | "prefix">) {
    this.bucket = `arn:aws:s3:::${bucket}`;
    this.#prefix = prefix;
  }

  objects(...names: string[]): string[] {
    return names.map((name) => `${this.bucket}/${this.#prefix}${name}`);
  }

  /** A listing of the repository only. */
  get listing(): Pick<Statement, "Condition"> {
    return this.#prefix === "" ? {} : { Condition: { StringLike: { "s3:prefix": [`${this.#prefix}*`] } } };
  }
}

function runnerStatements(place: Place, { conditionalPuts, proxy }: S3PolicyOptions): Statement[] {
  const { bucket, listing } = place;
  const statements: Statement[] = [
    {
      Sid: "RunnerLists",
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:ListBucketVersions"],
      Resource: [bucket],
      ...listing,
    },
    { Sid: "RunnerLooks", Effect: "Allow", Action: ["s3:GetBucketVersioning"], Resource: [bucket] },
    {
      Sid: "RunnerReads",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: place.objects("*"),
    },
    {
      Sid: "RunnerBacksUp",
      Effect: "Allow",
      Action: ["s3:PutObject"],
      Resource: place.objects(...WRITTEN_ONCE, ...OVERWRITTEN),
    },
    { Sid: "RunnerDeletesNothing", Effect: "Deny", Action: NEVER_OBJECTS, Resource: place.objects("*") },
    { Sid: "RunnerChangesNoRules", Effect: "Deny", Action: NEVER_BUCKET, Resource: [bucket] },
    {
      Sid: "RunnerDecidesNothing",
      Effect: "Deny",
      Action: ["s3:PutObject"],
      Resource: place.objects("config", "config.copy", "keys/*", "forgotten/*", "gc/*", "RESCUE.md", "rescue.mjs"),
    },
  ];
  if (proxy !== undefined) {
    const Condition = { NotIpAddress: { "aws:SourceIp": [proxy] } };
    const elsewhere = { Action: ["s3:PutObject"], Resource: place.objects("*"), Condition };
    statements.push({ Sid: "RunnerWritesThroughProxy", Effect: "Deny", ...elsewhere });
  }
  if (!conditionalPuts) return statements;
  // A put without If-None-Match would replace what is there. Parts of an upload carry no such header: only what makes an object.
  const Condition = { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } };
  const overwriting = { Action: ["s3:PutObject"], Resource: place.objects(...WRITTEN_ONCE), Condition };
  return [...statements, { Sid: "RunnerOverwritesNothing", Effect: "Deny", ...overwriting }];
}

/** Everything but removing versions and lifting retention: nobody in daily use may do that. */
function keeperStatements(place: Place): Statement[] {
  const { bucket } = place;
  return [
    {
      Sid: "KeeperLooks",
      Effect: "Allow",
      Action: [
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetLifecycleConfiguration",
      ],
      Resource: [bucket],
    },
    {
      Sid: "KeeperWorks",
      Effect: "Allow",
      Action: [
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:GetObjectRetention",
        "s3:PutObjectRetention",
      ],
      Resource: place.objects("*"),
    },
    {
      Sid: "KeeperDestroysNothing",
      Effect: "Deny",
      Action: ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"],
      Resource: place.objects("*"),
    },
  ];
}

function forPrincipal({ Sid, Effect, ...rest }: Statement, principal: string): Statement {
  return { Sid, Effect, Principal: { AWS: [principal] }, ...rest };
}

function policyDocument(statements: Statement[]): unknown {
  return { Version: "2012-10-17", Statement: statements };
}

/**
 * For put-bucket-lifecycle-configuration. Not for decisions: the first version of an object counts, and once it had expired, the
 * next one would.
 */
function lifecycle({ prefix, noncurrentDays }: S3PolicyOptions): unknown {
  const rules = EXPIRING.map((folder) => ({
    ID: `reprise-${folder.slice(0, -1)}`,
    Status: "Enabled",
    Filter: { Prefix: prefix + folder },
    Expiration: { ExpiredObjectDeleteMarker: true },
    NoncurrentVersionExpiration: { NoncurrentDays: noncurrentDays },
  }));
  const uploads = {
    ID: "reprise",
    Status: "Enabled",
    Filter: { Prefix: prefix },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_MULTIPART_DAYS },
  };
  return { Rules: [uploads, ...rules] };
}
