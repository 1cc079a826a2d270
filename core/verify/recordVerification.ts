// Stores what a verification has found: records for the snapshots, quarantine for damaged copies. A repository that cannot
// be written to still gets its report.

import { isAbort, isOurError } from "../errors.js";
import { objectName, type PackName, type Sid } from "../format/ids.js";
import { MAX_QUARANTINED, MAX_RECORD_SNAPSHOTS } from "../format/limits.js";
import { encodeQuarantine, MAX_DAMAGED_RANGES, type QuarantinedBlob } from "../format/record.js";
import type { Catalog } from "../repository/catalog.js";
import { loadQuarantine } from "../repository/presence.js";
import { writeRecord } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";
import type { SnapshotVerdict, VerifyOptions, VerifyReport, VerifyRequest } from "./verifyReport.js";

export async function recordVerification(
  repository: Repository,
  report: VerifyReport,
  damagedCopies: ReadonlySet<string>,
  catalog: Catalog,
  request: VerifyRequest,
  options: VerifyOptions,
): Promise<void> {
  try {
    await quarantine(repository, damagedCopies, options);
    // A slice of the packs says nothing good about a snapshot as a whole.
    const level = request.subset === null ? report.level : "structure";
    await record(repository, catalog, "damaged", level, report.snapshots.filter(isDamaged), options);
    await record(
      repository,
      catalog,
      "ok",
      level,
      report.snapshots.filter((verdict) => !isDamaged(verdict) && !isProvenDeeper(verdict, level, catalog)),
      options,
    );
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family !== "backend") throw error;
    options.onWarning({
      code: "VERIFICATION_NOT_RECORDED",
      message: `the result could not be stored: ${error.message}`,
    });
  }
}

function isDamaged(verdict: SnapshotVerdict): boolean {
  return verdict.result === "damaged";
}

/** A look at the structure must not replace the record that every byte was good. */
function isProvenDeeper({ sid }: SnapshotVerdict, level: "structure" | "data", catalog: Catalog): boolean {
  if (level === "data") return false;
  const known = catalog.snapshots.find((snapshot) => snapshot.sid === sid)?.verification;
  return known?.result === "ok" && known.level === "data";
}

/** Only copies that no earlier verification has noted. */
async function quarantine(
  repository: Repository,
  damagedCopies: ReadonlySet<string>,
  options: VerifyOptions,
): Promise<void> {
  const known = damagedCopies.size === 0 ? damagedCopies : await loadQuarantine(repository, options);
  const blobs = [...damagedCopies].filter((copy) => !known.has(copy)).map(copyOf);
  for (let start = 0; start < blobs.length; start += MAX_QUARANTINED) {
    const rid = repository.newId();
    const part = blobs.slice(start, start + MAX_QUARANTINED);
    const plain = encodeQuarantine({ rid, at: repository.nowIso(), by: repository.author, blobs: part });
    await repository.objects.writeNew(objectName.quarantine(rid), "quarantine", plain, options);
  }
}

/** From `pack/id`. */
function copyOf(copy: string): QuarantinedBlob {
  const [pack, id] = copy.split("/") as [PackName, string];
  return { pack, id };
}

async function record(
  repository: Repository,
  catalog: Catalog,
  result: "ok" | "damaged",
  level: "structure" | "data",
  verdicts: readonly SnapshotVerdict[],
  options: VerifyOptions,
): Promise<void> {
  for (let start = 0; start < verdicts.length; start += MAX_RECORD_SNAPSHOTS) {
    const part = verdicts.slice(start, start + MAX_RECORD_SNAPSHOTS);
    const damaged = part
      .flatMap((verdict) => verdict.damaged)
      .slice(0, MAX_DAMAGED_RANGES)
      .map(({ snapshot, archive, offset, length }) => ({ snapshot, archive, offset, length }));
    const sids: Sid[] = part.map(({ sid }) => sid);
    const body = { type: "verification" as const, data: { level, result, damaged } };
    await writeRecord(repository, body, sids, catalog.records, options);
  }
}
