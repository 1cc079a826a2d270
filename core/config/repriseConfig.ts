// reprise.yml as it was written down, with every default filled in. The YAML form, its keys in kebab-case, is described by
// schemas/reprise.json and docs/configuration.md. Times are milliseconds, sizes bytes, paths as written: relative ones are relative to
// the folder of the file.

import type { Schedule } from "../calendar/schedule.js";
import type { TestLevel } from "../format/restoreTestRecord.js";
import type { RestoreTestSpec } from "../restoreTest/spec/restoreTestSpec.js";
import type { KeepOptions } from "../retention/prunePolicy.js";
import type { ImageFormat } from "../source/imageFormat.js";
import type { FileProblem } from "../yaml/problems.js";

export interface RepriseConfig {
  /** As it was named to the reader; for messages and annotations. */
  fileName: string;
  /** SHA-256 of the file's bytes, hex. */
  digest: string;
  /** IANA name; that of jobs that name none. */
  timeZone: string;
  repositories: readonly RepositoryConfig[];
  machines: readonly MachineConfig[];
  jobs: readonly JobConfig[];
  restoreTests: readonly ConfiguredTest[];
  gates: readonly GateConfig[];
  notifications: readonly NotificationConfig[];
  evidence: EvidenceConfig;
  /** Odd, but no mistakes; in the order in which they were found. */
  warnings: readonly FileProblem[];
}

/** A secret is named, never written down: `env:NAME`, or `file:/path`. */
export type SecretReference = { kind: "env"; name: string } | { kind: "file"; path: string };

export interface RepositoryConfig {
  name: string;
  /** A location as --repo takes it, or `env:NAME`, the variable that holds it. */
  location: { kind: "text"; text: string } | { kind: "env"; name: string };
  /** 32 hex digits: no other repository is taken for it. Null: whichever is there. */
  id: string | null;
  /** Null: the usual variables (REPRISE_PASSPHRASE, REPRISE_PASSPHRASE_FILE, REPRISE_RECOVERY_KEY). */
  passphrase: SecretReference | null;
  keeperKey: SecretReference | null;
  /** Fingerprint, or "none". */
  trustKeeper: string | null;
  /** Bytes a second to and from the storage. */
  bandwidthLimit: number | null;
  line: number;
}

export interface MachineConfig {
  /** `vm/web1`, or `prod:vm/web1` with its namespace. */
  machine: string;
  description: string;
  owner: string;
  criticality: string;
  /** What a backup of it reads; empty: this file only names it, others back it up. */
  disks: readonly DiskConfig[];
  folders: readonly FolderConfig[];
  /** Configuration files to keep with the disks. */
  configFiles: readonly { name: string | null; path: string }[];
  tags: readonly string[];
  notes: string;
  line: number;
}

export interface DiskConfig {
  /** In the snapshot; null: after its file. */
  name: string | null;
  path: string;
  /** Null: told by its contents. */
  format: ImageFormat | null;
  allowBackingFile: boolean;
}

export interface FolderConfig {
  name: string | null;
  path: string;
  /** Rules as in .gitignore. */
  exclude: readonly string[];
  oneFileSystem: boolean;
}

export const JOB_COMMANDS = ["backup", "verify", "restore-test", "prune", "sync"] as const;
export type JobCommand = (typeof JOB_COMMANDS)[number];

export type JobConfig = JobFrame & JobBody;

export interface JobFrame {
  name: string;
  description: string;
  /** Name of a repository of this file. */
  repository: string;
  /** Null: runs only when it is named. */
  schedule: Schedule | null;
  /** IANA name; schedules are read in it. */
  timeZone: string;
  /** Names of notifications, and from which outcome on. */
  notify: readonly { name: string; on: NotifyOn }[];
  line: number;
}

export type NotifyOn = "always" | "warned" | "failed";

export type JobBody =
  | {
      command: "backup";
      machines: readonly string[];
      /** Of the machines of this job, after the backup; null: no pruning here. */
      retention: KeepOptions | null;
      /** Of the new snapshots, after the backup. */
      verifyAfter: "none" | "structure" | "data";
      codec: { codec: "zstd" | "lz4" | "none"; level: number };
    }
  | {
      command: "verify";
      /** Empty: the whole repository. */
      machines: readonly string[];
      readData: boolean;
      /** Leave out what was found good within this time; null: read everything. */
      outdatedAfterMs: number | null;
      /** Another slice of this many each run, with readData; null: everything. */
      slices: number | null;
    }
  | {
      command: "restore-test";
      /** Names of restore tests of this file; empty: all. */
      tests: readonly string[];
    }
  | {
      command: "prune";
      /** Empty: every machine of the repository. */
      machines: readonly string[];
      retention: KeepOptions;
      /** Collect garbage afterwards. */
      gc: boolean;
    }
  | {
      command: "sync";
      /** Name of the repository that is read; `repository` is written. */
      from: string;
      machines: readonly string[];
      transferLast: number | null;
      removeVanished: boolean;
      encryptedOnly: boolean;
    };

/** A restore test of this file, or of another that it names. */
export interface ConfiguredTest {
  name: string;
  /** The file it stands in: this one, or one that it names. */
  fileName: string;
  /** SHA-256, hex: of that file's bytes; of one that stands in this file, of its own fields (as JSON, keys sorted). */
  specDigest: string;
  spec: RestoreTestSpec;
  line: number;
}

export interface GateConfig {
  name: string;
  description: string;
  /** Where facts come from: the evidence branch needs no secret, the repository needs its own. */
  source:
    | {
        kind: "branch" /** Whose inventories count, by its id; null: of any, while no two have the same machine. */;
        repository: string | null;
      }
    | { kind: "repository"; repository: string };
  /** Paths of public keys (PEM), whose signatures count: one of them is enough. */
  keys: readonly string[];
  /** The newest statement about a machine may be this old. */
  maxEvidenceAgeMs: number;
  /** As in CODEOWNERS: the last rule that matches a path decides for it. */
  rules: readonly GateRule[];
  override: GateOverride | null;
  line: number;
}

export interface GateRule {
  /** Patterns as in CODEOWNERS: `db/`, `*.tf`, `/infra/prod/**`. */
  paths: readonly string[];
  /** Empty: nothing is required of what matches. */
  machines: readonly string[];
  requirement: GateRequirement;
  line: number;
}

export interface GateRequirement {
  /** That must have been proven. */
  level: TestLevel;
  /** Age of the newest backup. */
  maxBackupAgeMs: number;
  /** Since the end of the test. */
  maxTestAgeMs: number;
  /**
   * `newest`: the newest snapshot itself must be proven. `recent`: any snapshot whose test is not older than maxTestAgeMs, as
   * long as no later test says otherwise.
   */
  proof: "newest" | "recent";
  /** Measured recovery time at most; null: not asked for. */
  rtoMs: number | null;
  /** Ids of checks that must have passed. */
  checks: readonly string[];
  /** Whether "passed with warnings" is enough. */
  allowWarned: boolean;
  /** Names of restore tests of this file, by whose specs the test must have been made; empty: any spec. */
  tests: readonly string[];
}

/** A pull request with this label and a line `REASON-PREFIX: why` in its description passes although it is blocked; both are recorded. */
export interface GateOverride {
  label: string;
  /** Of the line, without the colon. */
  reasonPrefix: string;
}

export type NotificationConfig = { name: string; line: number } & (
  | { kind: "webhook"; url: SecretReference; format: "json" | "slack" }
  | {
      kind: "mail";
      /** smtp://user@host:port or smtps://; the password apart. */
      server: string;
      password: SecretReference | null;
      from: string;
      to: readonly string[];
    }
);

export interface EvidenceConfig {
  branch: string;
  /** Name of a git remote, or a URL without credentials. */
  remote: string;
  /** Who signs what jobs publish; null: REPRISE_SIGNING_KEY or REPRISE_SIGNING_KEY_FILE, when they are set. */
  signingKey: SecretReference | null;
  /** Whether jobs publish by themselves when they have a signing key. */
  publish: boolean;
  /** What was published longer ago than this is dropped along the way; null: nothing is. */
  keepMs: number | null;
}
