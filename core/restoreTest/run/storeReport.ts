// From an ended run to what is left of it: the record, signed where there is a key, and stored beside its snapshot.

import { isAbort } from "../../errors.js";
import { signTestEvidence } from "../../evidence/testStatements.js";
import { fitRestoreTestRecord } from "../../format/fitRestoreTestRecord.js";
import type { Sid } from "../../format/ids.js";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { type Catalog, loadCatalog } from "../../repository/catalog.js";
import { messageOf } from "../checks/problems.js";
import { newestTestDigest, storeTestRecord } from "../storedRecords.js";
import type { MachineRun } from "./machineRun.js";
import type { SharedRun } from "./sharedRun.js";
import type { MachineReport } from "./testRequest.js";

/** A repository that takes no record costs a warning: the report is there all the same. */
export async function storeReport(
  shared: SharedRun,
  run: MachineRun,
  disposal: RestoreTestRecord["integrity"]["disposal"],
): Promise<MachineReport> {
  const { request, options } = shared;
  const catalog = request.store ? await currentCatalog(shared) : request.catalog;
  const record = fitRestoreTestRecord(run.record(disposal, newestTestDigest(catalog, run.machine)));
  const envelopes = request.signingKeys.length === 0 ? [] : signTestEvidence(record, request.signingKeys);
  const storedAs = request.store ? await store(shared, catalog, run, record, envelopes) : null;
  const { outcome, reason } = record.result;
  options.onEvent({ event: "machine-finished", machine: run.test.machine, outcome, reason });
  return { record, envelopes, artifacts: run.artifacts, storedAs };
}

/** Other tests may have ended while this one ran; where that cannot be read, what was known at its start. */
async function currentCatalog({ request, interruption: signal }: SharedRun): Promise<Catalog> {
  try {
    return await loadCatalog(request.repository, { signal, onWarning: () => {} });
  } catch (error) {
    if (isAbort(error)) throw error;
    return request.catalog;
  }
}

async function store(
  { request, options, interruption }: SharedRun,
  current: Catalog,
  run: MachineRun,
  record: RestoreTestRecord,
  envelopes: readonly string[],
): Promise<Sid | null> {
  try {
    const { repository, catalog } = request;
    const { records } = current;
    const stored = await storeTestRecord(repository, run.snapshot, record, envelopes, records, {
      signal: interruption,
    });
    catalog.records.push(stored);
    return stored.rid;
  } catch (error) {
    if (isAbort(error)) throw error;
    const message = `the record of ${run.test.machine} could not be stored: ${messageOf(error)}`;
    options.onWarning({ code: "TEST_RECORD_NOT_STORED", message });
    return null;
  }
}
