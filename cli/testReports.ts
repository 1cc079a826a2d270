// Writes what restore tests leave into a folder, one folder for each machine.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type MachineReport, RepriseError, reportFiles, reportFolderName, type TestHistory } from "../core/index.js";
import { writeNewFile } from "./newFile.js";

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
    await makeFolder(own);
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

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new RepriseError("source", "TARGET_WRITE_FAILED", `the folder ${path} cannot be made (${reason})`, {
      data: { path, errno: reason },
      hint: "give --report a folder that can be written to",
      cause,
    });
  }
}
