// Inventories and test statements of small made-up machines, and a branch's files made of them without git.

import { createHash } from "node:crypto";
import { type InventoriedSnapshot, type Inventory, inventoryOf } from "../../core/evidence/inventory.js";
import { signInventory } from "../../core/evidence/signedInventories.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { signTestEvidence } from "../../core/evidence/testStatements.js";
import { checkBranchTree } from "../../core/evidenceBranch/branchTree.js";
import { newStatements, planPublication } from "../../core/evidenceBranch/planPublication.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";

export const key = SigningKey.generate();
export const stranger = SigningKey.generate();
export const trusted = [key.verificationKey];
export const repositoryId = "33".repeat(16);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** Of the newest backup of a sample. */
export const backedUpMs = Date.UTC(2026, 10, 21, 2);
export const nowMs = Date.UTC(2026, 10, 22, 4);

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

export interface Sample {
  machine?: string;
  /** How many snapshots, one a day. */
  count?: number;
  asOfMs?: number;
  repository?: string;
  copies?: boolean;
  unreadable?: number;
  verification?: InventoriedSnapshot["verification"];
}

export function sampleInventory(sample: Sample = {}): Inventory {
  const { machine = "vm/web1", count = 2, asOfMs = backedUpMs + HOUR, repository = repositoryId } = sample;
  const snapshots = Array.from({ length: count }, (_, at) => ({
    sid: sha256(`${repository}${machine}${at}`).slice(0, 32),
    digest: manifestDigest(machine, at, repository),
    manifest: {
      namespace: "",
      group: machine,
      time: new Date(backedUpMs - (count - 1 - at) * DAY).toISOString().replace(".000", ""),
      origin: sample.copies ? { repositoryId: "99".repeat(16) } : null,
    },
    verification: sample.verification ?? null,
    restoreTest: null,
  }));
  const unreadable = Array.from({ length: sample.unreadable ?? 0 });
  return inventoryOf(
    { snapshots, records: [], unreadable, unreadableRecords: [] },
    machine,
    { id: repository, location: "file:/backups" },
    asOfMs,
  );
}

/** Of a machine's snapshot, by its number from the oldest. */
export function manifestDigest(machine: string, at: number, repository = repositoryId): string {
  return sha256(`${repository}${machine}${at}`);
}

export function signedInventory(sample: Sample = {}, keys: readonly SigningKey[] = [key]): string {
  return signInventory(sampleInventory(sample), keys);
}

/** Envelopes of one test. */
export function signedTest(
  machine: string,
  at: number,
  outcome: "passed" | "failed" = "passed",
  keys: readonly SigningKey[] = [key],
): string[] {
  const record = recordWithOutcome(outcome);
  const backup = { ...record.backup, manifestDigest: manifestDigest(machine, at) };
  return signTestEvidence({ ...record, asset: { ...record.asset, machine }, backup }, keys);
}

/** The files of a branch after these publications, an hour apart. */
export function branchFiles(publications: readonly (readonly string[])[], keepMs: number | null = null, keys = [key]) {
  const files = new Map<string, Uint8Array>();
  for (const [at, envelopes] of publications.entries()) {
    const tree = at === 0 ? null : checkBranchTree(files, [keys[0]?.verificationKey ?? key.verificationKey]);
    const wishes = { by: "runner-1 (reprise 0.1.0)", nowMs: backedUpMs + at * HOUR, keepMs, drop: [], keys };
    const plan = planPublication(tree, newStatements(envelopes), wishes);
    for (const [path, bytes] of plan?.files ?? []) {
      if (bytes === null) files.delete(path);
      else files.set(path, bytes);
    }
  }
  return files;
}
