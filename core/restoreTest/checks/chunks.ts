// All data of the snapshot, read from the storage and verified.

import { formatBytes } from "../../report/amounts.js";
import type { CheckFunction } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";

const EXPECTED = "every chunk of the snapshot is stored, and undamaged";
const SHOWN_RANGES = 5;

export const checkChunks: CheckFunction<"chunks"> = async (_check, context, { signal }) => {
  const { verifyChunks, snapshot } = context;
  if (verifyChunks === null) return cannotTell(EXPECTED, "", "the repository's data cannot be read in this test");
  const filled = snapshot.manifest.archives.filter(({ lost }) => lost.length > 0).map(({ name }) => name);
  const report = await verifyChunks(signal);
  const mine = report.snapshots.find(({ sid }) => sid === snapshot.sid);
  const observed = `${report.packs.read} packs, ${formatBytes(report.packs.bytesRead)} read`;
  if (mine === undefined) return cannotTell(EXPECTED, observed, "the verification did not look at this snapshot");
  if (mine.result !== "ok") {
    const ranges = mine.damaged.slice(0, SHOWN_RANGES).map(describeRange);
    const more = mine.damaged.length > SHOWN_RANGES ? `; ${mine.damaged.length - SHOWN_RANGES} more ranges` : "";
    return fails(EXPECTED, `${observed}; ${ranges.join("; ")}${more}`, "data of the snapshot is lost or damaged");
  }
  if (filled.length > 0) {
    const reason = `a repair has filled lost ranges of ${filled.join(", ")} with zeros`;
    return fails(EXPECTED, observed, reason);
  }
  if (report.level !== "data") return cannotTell(EXPECTED, observed, "only the structure was verified, not the data");
  if (!report.ok) return cannotTell(EXPECTED, observed, "the snapshot is whole, but damage was found beside it");
  return holds(EXPECTED, observed);
};

function describeRange(range: {
  archive: string;
  offset: number;
  length: number;
  reason: string;
  path?: string;
}): string {
  const { archive, offset, length, reason, path } = range;
  const where = path === undefined ? archive : `${archive} (${path})`;
  return `${where}: ${length} bytes at ${offset}: ${reason}`;
}
