// What must hold in every reachable state of a repository, read from the stored bytes alone.

import { openEnvelope } from "../../core/crypto/envelopeSeal.js";
import { isOurError } from "../../core/errors.js";
import { decodeGcFinal } from "../../core/format/gcPlan.js";
import { baseName, bytesToHex, folder, objectName, type PackName, type Sid } from "../../core/format/ids.js";
import { decodeForgotten, decodeManifest, type Manifest } from "../../core/format/manifest.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES, decodePackFooter, PACK_FOOTER_BYTES } from "../../core/format/pack.js";
import { checksum64 } from "../../core/hash/checksum.js";
import type { Invariants } from "./explorer.js";
import { NO_CONTENT, type Operation, type StorageState, type StorageStates } from "./storageStates.js";

/** Nothing that a snapshot needs is lost, and what was reported as done stays. */
export const NO_LOSS: Invariants = { storage: snapshotsComplete, outcome: acknowledged, operation: () => null };

/** And everybody keeps to the rules that the safety argument uses. */
export const PROTOCOL_KEPT: Invariants = { ...NO_LOSS, operation: ruleKept };

function snapshotsComplete(state: StorageState, states: StorageStates): string | null {
  const stored = new Set<string>();
  for (const [key, content] of state.objects) {
    if (key.startsWith(folder.packs)) for (const id of idsIn(key, states.bytesOf(content))) stored.add(id);
  }
  for (const key of state.objects.keys()) {
    if (!key.startsWith(folder.snapshots)) continue;
    const manifest = manifestAt(key, state, states);
    if (manifest === null || isForgotten(manifest.sid, state, states)) continue;
    const lost = manifest.archives.find(({ root }) => !stored.has(root));
    if (lost !== undefined) return `committed snapshot ${manifest.sid} has lost ${lost.name}`;
  }
  return null;
}

function acknowledged(_process: string, outcome: string, state: StorageState, states: StorageStates): string | null {
  const sid = /^committed ([0-9a-f]{32})$/.exec(outcome)?.[1];
  if (sid === undefined) return null;
  const manifest = manifestAt(objectName.snapshot(sid as Sid), state, states);
  return manifest === null ? `acknowledged snapshot ${sid} has vanished` : null;
}

function ruleKept(_process: string, operation: Operation, state: StorageState, states: StorageStates): string | null {
  const { kind, key, content } = operation;
  if (key.startsWith("probe/")) return null;
  const present = state.objects.get(key) ?? NO_CONTENT;
  if (kind === "delete" && present !== NO_CONTENT) return deletionAllowed(key, state, states);
  if (kind === "put" && present !== NO_CONTENT && present !== content && !key.startsWith(folder.sessions)) {
    return `${key} was overwritten with other contents`;
  }
  if (key.startsWith(folder.snapshots) && kind === "put") return `${key} was decided by a plain put`;
  return null;
}

function deletionAllowed(key: string, state: StorageState, states: StorageStates): string | null {
  if (key.startsWith(folder.packs)) {
    return finalsOf(state, states).has(baseName(key)) ? null : `${key} was deleted and is in no final`;
  }
  if (key.startsWith(folder.sessions)) {
    const isDecided = state.objects.has(objectName.snapshot(baseName(key) as Sid));
    return isDecided ? null : `${key} was deleted before it was decided`;
  }
  if (key.endsWith(".plan")) {
    return state.objects.has(key.replace(/plan$/, "final")) ? null : `${key} was deleted before its final exists`;
  }
  return key.startsWith(folder.index) ? null : `${key} was deleted`;
}

function finalsOf(state: StorageState, states: StorageStates): Set<string> {
  const packs = new Set<string>();
  for (const [key, content] of state.objects) {
    if (!key.endsWith(".final")) continue;
    const plain = openEnvelope(key, "gcFinal", states.bytesOf(content), null);
    for (const pack of decodeGcFinal(plain, key).delete) packs.add(pack);
  }
  return packs;
}

function manifestAt(key: string, state: StorageState, states: StorageStates): Manifest | null {
  const content = state.objects.get(key);
  if (content === undefined) return null;
  const decision = decodeManifest(openEnvelope(key, "snapshot", states.bytesOf(content), null), key);
  return decision.type === "void" ? null : decision;
}

function isForgotten(sid: Sid, state: StorageState, states: StorageStates): boolean {
  const key = objectName.forgotten(sid);
  const content = state.objects.get(key);
  if (content === undefined) return false;
  return decodeForgotten(openEnvelope(key, "forgotten", states.bytesOf(content), null), key).sid === sid;
}

/** Ids of the blobs in a pack, from its table of contents; none when that cannot be read. */
function idsIn(key: string, pack: Uint8Array): string[] {
  try {
    const footer = decodePackFooter(pack.subarray(-PACK_FOOTER_BYTES), pack.length, key, checksum64);
    return Array.from({ length: footer.count }, (_, i) => {
      const at = footer.entriesOffset + i * BLOB_ENTRY_BYTES;
      return bytesToHex(pack.subarray(at, at + BLOB_ID_BYTES));
    });
  } catch (error) {
    if (isOurError(error)) return [];
    throw error;
  }
}

/** The packs of a storage, ascending. */
export function packsOf(objects: Iterable<string>): PackName[] {
  return [...objects].filter((key) => key.startsWith(folder.packs)).map((key) => baseName(key) as PackName);
}
