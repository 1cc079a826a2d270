import {
  applySync,
  estimateSync,
  planRepositorySync,
  type RepositorySyncPlan,
  RepriseError,
  type Snapshot,
  type SyncEstimate,
  type SyncReport,
  type SyncRequest,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { parseRate } from "../given/amounts.js";
import { type Given, usageError } from "../given/given.js";
import {
  fitsMachine,
  type MachineFilter,
  NAMESPACE_OPTION,
  readMachineFilter,
  unknownMachines,
} from "../given/machine.js";
import { BWLIMIT_OPTION, FROM_PASSPHRASE_OPTION } from "../given/replicaOptions.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const syncVerb: Verb = {
  name: "sync",
  summary: "copy snapshots into another repository",
  details: [
    "Copies what --to does not have, and reads only what it has to: a second run moves nothing. The two repositories may have different keys and chunk sizes. Each chunk is checked on the way; a snapshot that is damaged where it is read is left out and named (exit code 1). Notes, tags and protection travel along, verifications do not. Interrupt it whenever you like: the next run goes on.",
  ],
  operands: [],
  options: [
    { flags: "--from <repository>", description: "read snapshots here", required: true, completes: "folder" },
    {
      flags: "--to <repository>",
      description: "make copies here; else --repo or REPRISE_REPOSITORY",
      completes: "folder",
    },
    FROM_PASSPHRASE_OPTION,
    {
      flags: "-g, --group <machine>",
      description: "only this machine, as in vm/web1; several times",
      many: true,
      completes: "group",
    },
    NAMESPACE_OPTION,
    {
      flags: "--transfer-last <count>",
      description: "copy only the newest ones of each machine",
      completes: "nothing",
    },
    { flags: "--remove-vanished", description: "forget copies whose original is gone; never protected ones" },
    { flags: "--encrypted-only", description: "refuse unless both repositories are encrypted" },
    BWLIMIT_OPTION,
    { flags: "--dry-run", description: "only show what would be copied and forgotten" },
  ],
  examples: [
    { command: "reprise sync --from /srv/backup --to /mnt/offsite", meaning: "everything that is not there yet" },
    {
      command: "reprise sync --from /srv/backup --to /mnt/offsite --group vm/web1 --transfer-last 7 --dry-run",
      meaning: "what the last seven of one machine would take",
    },
  ],
  run: runSync,
};

/** What is new is stored as a backup stores it. */
const CODEC = { codec: "zstd", level: 3 } as const;

async function runSync(context: Context, given: Given): Promise<Answer> {
  const filter = readMachineFilter(given);
  const request = readRequest(given, filter);
  const from = given.text("from") ?? "";
  const location = given.text("to") ?? context.settings.location;
  if (location === undefined) throw usageError("sync: no destination is named", "give --to REPOSITORY");
  const bytesPerSecond = given.parsed("bwlimit", parseRate);
  const passphraseFile = given.text("fromPassphraseFile");
  const fromRepository = await context.openOther(from, { passphraseFile, bytesPerSecond });
  const toRepository = await context.openRepository({ location, bytesPerSecond });
  const plan = await planRepositorySync(fromRepository, toRepository, request, context.options);
  refuseUnknown(plan, request, filter, context);
  if (given.flag("dryRun")) return planAnswer(plan, await estimateSync(plan, context.options));
  return reportAnswer(plan, await applySync(plan, context.options));
}

/** MACHINE_NOT_FOUND when there is nothing of what was named; a warning when only some of it is missing. */
function refuseUnknown(
  { from, to }: RepositorySyncPlan,
  request: SyncRequest,
  filter: MachineFilter,
  context: Context,
): void {
  const looksAt = [...from.catalog.snapshots, ...(request.removeVanished ? to.catalog.snapshots : [])];
  const machines = looksAt.map(({ manifest }) => manifest);
  const unknown = unknownMachines(filter, machines);
  if (unknown === null) return;
  const { message, isEverything } = unknown;
  // what cannot be read may be of that machine; it is named as left out
  const isSure = from.catalog.unreadable.length === 0;
  if (isEverything && isSure) {
    throw new RepriseError("not-found", "MACHINE_NOT_FOUND", message, {
      hint: "nothing was copied; list what there is with reprise snapshots --repo REPOSITORY",
    });
  }
  context.onWarning({ code: "MACHINE_UNKNOWN", message });
}

function readRequest(given: Given, filter: MachineFilter): SyncRequest {
  return {
    includes: (machine) => fitsMachine(filter, machine),
    transferLast: given.integer("transferLast", 1) ?? null,
    removeVanished: given.flag("removeVanished"),
    encryptedOnly: given.flag("encryptedOnly"),
    codec: CODEC,
  };
}

function planAnswer(plan: RepositorySyncPlan, estimate: SyncEstimate): Answer {
  const failed = [...unreadableOf(plan), ...estimate.failed];
  const bytes = estimate.snapshots.reduce((sum, one) => sum + one.bytes, 0);
  const document = {
    dryRun: true,
    copied: estimate.snapshots.map((one) => ({ ...referenceOf(plan, one.from), copyId: null, bytesRead: one.bytes })),
    ...commonDocument(plan, failed),
    records: null,
    vanished: vanishedDocument(plan),
  };
  const lines: Line[] = [
    ...estimate.snapshots.map((one) => [
      "would copy ",
      nameOf(plan, one.from),
      `: at most ${bytesText(one.bytes)} to read`,
    ]),
    ...failedLines(failed),
    ...vanishedLines(plan, "would forget"),
  ];
  const count = countText(estimate.snapshots.length, "snapshot");
  const summary = [`would copy ${count}, reading at most ${bytesText(bytes)}; ${presentText(plan)}`];
  return { document, lines, summary, ...(failed.length > 0 ? { failed: true } : {}) };
}

function reportAnswer(plan: RepositorySyncPlan, report: SyncReport): Answer {
  const document = {
    dryRun: false,
    copied: report.copied.map(({ from, to, ...rest }) => ({ ...referenceOf(plan, from), copyId: to, ...rest })),
    ...commonDocument(plan, report.failed),
    records: report.records,
    vanished: vanishedDocument(plan),
  };
  const lines: Line[] = [
    ...report.copied.map(({ from, bytesRead, bytesStored }) => [
      "copied ",
      nameOf(plan, from),
      `: ${bytesText(bytesRead)} read, ${bytesText(bytesStored)} stored`,
    ]),
    ...failedLines(report.failed),
    ...vanishedLines(plan, "forgot"),
  ];
  const stored = report.copied.reduce((sum, { bytesStored }) => sum + bytesStored, 0);
  const records = report.records === 0 ? "" : `, ${countText(report.records, "changed record")}`;
  const count = countText(report.copied.length, "snapshot");
  const summary = [`copied ${count}, ${bytesText(stored)} stored${records}; ${presentText(plan)}`];
  return { document, lines, summary, ...(report.failed.length > 0 ? { failed: true } : {}) };
}

type Failed = SyncReport["failed"];

function unreadableOf({ from }: RepositorySyncPlan): Failed {
  return from.catalog.unreadable.map(({ sid, code, message }) => ({ from: sid, code, message }));
}

function commonDocument(plan: RepositorySyncPlan, failed: Failed): Record<string, unknown> {
  return {
    failed: failed.map(({ from, code, message }) => ({ snapshotId: from, code, message })),
    present: presentCount(plan),
    older: plan.older.length,
  };
}

function vanishedDocument({ to, vanished }: RepositorySyncPlan): unknown[] {
  return vanished.map(({ sid, action, reason }) => {
    return { ...snapshotReference(snapshotIn(to.catalog.snapshots, sid)), action, reason };
  });
}

function referenceOf({ from }: RepositorySyncPlan, sid: string): Record<string, unknown> {
  return snapshotReference(snapshotIn(from.catalog.snapshots, sid));
}

function snapshotIn(snapshots: readonly Snapshot[], sid: string): Snapshot {
  return snapshots.find((snapshot) => snapshot.sid === sid) as Snapshot;
}

function nameOf({ from }: RepositorySyncPlan, sid: string): string {
  return labelOf(snapshotIn(from.catalog.snapshots, sid));
}

function labelOf({ manifest: { namespace, group, time } }: Snapshot): string {
  return `${namespace === "" ? "" : `${namespace}:`}${group}@${time}`;
}

function failedLines(failed: Failed): Line[] {
  return failed.map(({ message }) => [styled("red", "left out: "), message]);
}

function vanishedLines({ to, vanished }: RepositorySyncPlan, verb: string): Line[] {
  return vanished.map(({ sid, action, reason }) => {
    const name = labelOf(snapshotIn(to.catalog.snapshots, sid));
    return `${action === "forget" ? verb : "keeps"} ${name} ${sid.slice(0, 8)}: ${reason}`;
  });
}

function presentCount({ present }: RepositorySyncPlan): number {
  return new Set(present.map(({ from }) => from)).size;
}

function presentText(plan: RepositorySyncPlan): string {
  const { older } = plan;
  const left = older.length === 0 ? "" : `, ${countText(older.length, "older one")} left out`;
  return `${countText(presentCount(plan), "snapshot")} there already${left}`;
}
