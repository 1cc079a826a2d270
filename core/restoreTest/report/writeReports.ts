// Writes what restore tests leave into a folder, one folder for each machine.

import { join } from "node:path";
import { makeFolder, writeNewFile } from "../../platform/newFile.js";
import type { MachineReport } from "../run/testRequest.js";
import type { TestHistory } from "../storedRecords.js";
import { reportFiles, reportFolderName } from "./reportFiles.js";

/** The paths written. Reports of earlier tests in the same place are replaced. TARGET_WRITE_FAILED. */
export async function writeTestReports(
  folder: string,
  reports: readonly MachineReport[],
  { tests }: TestHistory,
  signal: AbortSignal,
): Promise<string[]> {
  const written: string[] = [];
  for (const report of reports) {
    const { machine } = report.record.asset;
    const own = join(folder, reportFolderName(machine));
    await makeFolder(own, "name another folder for reports, one that can be written to");
    const history = tests
      .map(({ record }) => record)
      .filter(({ simulated }) => !simulated)
      .filter(({ asset, recordId }) => asset.machine === machine && recordId !== report.record.recordId)
      .concat(report.record)
      .map(({ times, result }) => ({
        at: times.finishedAt,
        outcome: result.outcome,
        rtoMs: times.rto.length === 0 ? null : Math.min(...times.rto.map(({ totalMs }) => totalMs)),
      }));
    for (const { name, bytes } of reportFiles(report, history)) {
      signal.throwIfAborted();
      await writeNewFile(join(own, name), bytes, true);
      written.push(join(own, name));
    }
  }
  return written;
}
