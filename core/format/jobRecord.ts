// What a finished job leaves in the repository, so that the next plan knows what was done. Claimed by whoever ran it: it decides when
// something runs again, and proves nothing. docs/format/record.md. Times are ISO 8601 UTC.

import { formatError } from "./bytes.js";
import { Fields } from "./fields.js";
import { isSid, type Sid } from "./ids.js";
import { OUTCOMES, type Outcome } from "./restoreTestRecord.js";

export const JOB_RECORD_COMMANDS = ["backup", "verify", "restore-test", "prune", "sync"] as const;
export const JOB_TRIGGERS = ["manual", "scheduled", "pipeline"] as const;
export type JobTrigger = (typeof JOB_TRIGGERS)[number];
export const JOB_OUTCOMES = ["passed", "warned", "failed", "inconclusive", "cancelled"] as const;
export type JobOutcome = (typeof JOB_OUTCOMES)[number];

export interface JobRecordData {
  /** Name in reprise.yml. */
  job: string;
  command: (typeof JOB_RECORD_COMMANDS)[number];
  outcome: JobOutcome;
  trigger: JobTrigger;
  host: string;
  startedAt: string;
  finishedAt: string;
  /** The run of the schedule that it made up for; null: none. */
  scheduledFor: string | null;
  /** It was narrowed to some of the job's machines. */
  partial: boolean;
  /** Which part of the packs a verification has read, 1-based; null: not in slices. */
  slice: { part: number; of: number } | null;
  machines: readonly JobRecordMachine[];
}

export interface JobRecordMachine {
  /** `vm/web1`, or `prod:vm/web1` with its namespace. */
  machine: string;
  outcome: Outcome;
  /** Made, verified or tested; null: none. */
  snapshot: Sid | null;
}

/** Machines that one record names; a writer leaves out the rest. */
export const MAX_JOB_MACHINES = 2_000;
const MAX_NAME_CHARS = 300;
const MAX_MACHINE_CHARS = 1_200;
export const MAX_SLICES = 10_000;

/** FORMAT_INVALID. Members that are not of this version are left out of the answer. */
export function decodeJobRecord(fields: Fields): JobRecordData {
  return {
    job: fields.string("job", MAX_NAME_CHARS),
    command: fields.oneOf("command", JOB_RECORD_COMMANDS),
    outcome: fields.oneOf("outcome", JOB_OUTCOMES),
    trigger: fields.oneOf("trigger", JOB_TRIGGERS),
    host: fields.string("host", MAX_NAME_CHARS),
    startedAt: fields.instant("startedAt"),
    finishedAt: fields.instant("finishedAt"),
    scheduledFor: fields.raw("scheduledFor") === null ? null : fields.instant("scheduledFor"),
    partial: fields.boolean("partial"),
    slice: fields.raw("slice") === null ? null : decodeSlice(fields.object("slice")),
    machines: fields
      .array("machines", MAX_JOB_MACHINES)
      .map((value, index) => decodeMachine(new Fields(value, `${fields.what}.machines[${index}]`))),
  };
}

function decodeSlice(fields: Fields): { part: number; of: number } {
  const of = fields.integer("of", 1, MAX_SLICES);
  return { part: fields.integer("part", 1, of), of };
}

function decodeMachine(fields: Fields): JobRecordMachine {
  const snapshot = fields.nullableString("snapshot", 32);
  if (snapshot !== null && !isSid(snapshot)) throw formatError(fields.what, "a snapshot id has the wrong form");
  return { machine: fields.string("machine", MAX_MACHINE_CHARS), outcome: fields.oneOf("outcome", OUTCOMES), snapshot };
}
