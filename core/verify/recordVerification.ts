// Stores what a verification has found: records for the snapshots, quarantine for damaged copies. A repository that cannot
// be written to still gets its report.

import { isAbort, isOurError } from "../errors.js";
import { objectName, type Sid } from "../format/ids.js";
import { encodeQuarantine, MAX_DAMAGED_RANGES } from "../format/record.js";
import type { Catalog } from "../repository/catalog.js";
import { writeRecord } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";
import type { SnapshotVerdict, VerifyOptions, VerifyReport, VerifyRequest } from "./verifyReport.js";

export async function recordVerification(
  repository: Repository,
  report: VerifyReport,
  catalog: Catalog,
  request: VerifyRequest,
  options: VerifyOptions,
): Promise<void> {
  try {
    await quarantine(repository, report, options);
    // A slice of the packs says nothing good about a snapshot as a whole.
    const level = request.subset === null ? report.level : "structure";
    await record(repository, catalog, "damaged", level, report.snapshots.filter(isDamaged), options);
    await record(
      repository,
      catalog,
      "ok",
      level,
      report.snapshots.filter((verdict) => !isDamaged(verdict)),
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

async function quarantine(repository: Repository, report: VerifyReport, options: VerifyOptions): Promise<void> {
  const blobs = report.packs.problems.flatMap(({ pack, id }) => (id === null ? [] : [{ pack, id }]));
  if (blobs.length === 0) return;
  const rid = repository.newId();
  const plain = encodeQuarantine({ rid, at: repository.nowIso(), by: repository.author, blobs });
  await repository.objects.write(objectName.quarantine(rid), "quarantine", plain, options);
}

async function record(
  repository: Repository,
  catalog: Catalog,
  result: "ok" | "damaged",
  level: "structure" | "data",
  verdicts: readonly SnapshotVerdict[],
  options: VerifyOptions,
): Promise<void> {
  if (verdicts.length === 0) return;
  const damaged = verdicts
    .flatMap((verdict) => verdict.damaged)
    .slice(0, MAX_DAMAGED_RANGES)
    .map(({ snapshot, archive, offset, length }) => ({ snapshot, archive, offset, length }));
  const sids: Sid[] = verdicts.map(({ sid }) => sid);
  await writeRecord(
    repository,
    { type: "verification", data: { level, result, damaged } },
    sids,
    catalog.records,
    options,
  );
}
