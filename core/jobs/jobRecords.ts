// Records of jobs in the repository: written when a job ends, read when the next plan is made. docs/format/record.md.

import type { JobRecordData } from "../format/jobRecord.js";
import type { RepositoryRecord } from "../format/record.js";
import type { Catalog } from "../repository/catalog.js";
import { writeRecord } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";

/** Runners may write it. */
export async function storeJobRecord(
  repository: Repository,
  data: JobRecordData,
  known: readonly RepositoryRecord[],
  options: { signal?: AbortSignal } = {},
): Promise<RepositoryRecord> {
  return await writeRecord(repository, { type: "job", data }, [], known, options);
}

/** By the start of the job, oldest first. `job`: only of the job of this name. */
export function jobRecords({ records }: Pick<Catalog, "records">, job?: string): JobRecordData[] {
  return records
    .flatMap((record) => (record.type === "job" && (job === undefined || record.data.job === job) ? [record.data] : []))
    .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}
