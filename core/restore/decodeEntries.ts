// The plain bytes of a few entries of an image map: read together where they lie together, each digest checked, from another
// copy where one is damaged. For readers that want bytes in memory; whole disks go through restoreImage.

import type { Lane } from "../engine/lane.js";
import { errorFromData, RepriseError } from "../errors.js";
import { BLOB_HEADER_BYTES } from "../format/pack.js";
import type { FreshPresence } from "../repository/freshPresence.js";
import type { ImageEntry } from "../repository/imageReader.js";
import { planReads } from "../repository/packReads.js";
import type { Presence } from "../repository/presence.js";
import { type FailedBlob, hasMoved, type RestoreLaneApi } from "./restoreLane.js";

/**
 * One part an entry, in their order; null for zeros. Entries of the same chunk share a part. ENTRY_DAMAGED (`data.offset`,
 * cause) for the first chunk of which no copy is good; errors of the storage are passed on.
 */
export async function decodeEntries(
  entries: readonly ImageEntry[],
  fresh: FreshPresence,
  lane: Lane<RestoreLaneApi>,
): Promise<(Uint8Array | null)[]> {
  const presence = fresh.current;
  const plan = planReads(entries, presence.index, fresh.readLimits);
  const { parts, failed } = plan.missing.length > 0 ? NOTHING : await lane.call("decode", { reads: plan.reads });
  if (plan.missing.length > 0 || failed.some(hasMoved)) {
    if ((await fresh.after(presence)) !== presence) return decodeEntries(entries, fresh, lane);
  }
  const [missing] = plan.missing;
  if (missing) throw damaged(missing.targets[0], presence.index.missingText(missing.id));
  const byOffset = new Map<number, Uint8Array>();
  const isFailed = new Set(failed.map(({ targets }) => targets[0]));
  let part = 0;
  for (const read of plan.reads) {
    for (const { targets } of read.blobs) {
      if (isFailed.has(targets[0])) continue;
      const bytes = parts[part++] as Uint8Array;
      for (const offset of targets) byOffset.set(offset, bytes);
    }
  }
  for (const blob of failed) {
    const bytes = await decodeOtherCopy(blob, presence, lane);
    for (const offset of blob.targets) byOffset.set(offset, bytes);
  }
  return entries.map(({ offset, id }) => (id === null ? null : (byOffset.get(offset) as Uint8Array)));
}

const NOTHING = { parts: [] as Uint8Array[], failed: [] as FailedBlob[] };

/** A damaged chunk may have another, good copy. */
async function decodeOtherCopy(
  failed: FailedBlob,
  presence: Presence,
  lane: Lane<RestoreLaneApi>,
): Promise<Uint8Array> {
  const { id, plainLength, targets } = failed;
  for (const { pack, offset, storedLength } of presence.index.copies(id)) {
    if (pack === failed.pack) continue;
    const blobs = [{ id, offset, storedLength, plainLength, targets }];
    const read = { pack, offset, length: BLOB_HEADER_BYTES + storedLength, blobs };
    const { parts } = await lane.call("decode", { reads: [read] });
    if (parts[0]) return parts[0];
  }
  if (failed.error.family === "backend") throw errorFromData(failed.error);
  throw damaged(targets[0], failed.error.message, errorFromData(failed.error));
}

function damaged(offset: number | undefined, reason: string, cause?: unknown): RepriseError {
  return new RepriseError("corrupt", "ENTRY_DAMAGED", reason, { data: { offset }, cause });
}
