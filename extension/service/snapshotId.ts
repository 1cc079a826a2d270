// Ids of snapshots come from URIs that anybody can write.

import { RepriseError } from "../../core/index.js";

/** SNAPSHOT_NAME_INVALID for anything but a whole id. */
export function requireSnapshotId(text: string): string {
  if (typeof text === "string" && /^[0-9a-f]{32}$/.test(text)) return text;
  throw new RepriseError("usage", "SNAPSHOT_NAME_INVALID", `"${String(text)}" is not the id of a snapshot`);
}
