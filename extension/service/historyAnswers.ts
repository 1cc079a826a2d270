// All versions of one path over the snapshots of a machine.

import {
  formatTreePath,
  inertLine,
  parseTreePath,
  pathHistory,
  type Snapshot,
  snapshotsOfMachine,
} from "../../core/index.js";
import { snapshotDataOf } from "./catalogAnswers.js";
import type { ArgumentOf, HistoryData, VersionData } from "./protocol.js";
import type { CallContext, Session } from "./session.js";
import { milliseconds } from "./treeAnswers.js";

export async function readHistory(
  session: Session,
  { machine, path }: ArgumentOf<"history">,
  context: CallContext,
): Promise<HistoryData> {
  const snapshots = snapshotsOfMachine(machine, await session.catalog(context));
  const { signal, onProgress } = context;
  const open = (snapshot: (typeof snapshots)[number]) => session.treeOf(snapshot, context);
  const history = await pathHistory(snapshots, open, parseTreePath(path), { signal, onProgress });
  const sides = ({ first, last }: { first: Snapshot; last: Snapshot }) => {
    return { first: snapshotDataOf(first, session.isEncrypted), last: snapshotDataOf(last, session.isEncrypted) };
  };
  const versions = history.versions.map(({ number, kind, sizeBytes, sha256, snapshots, ...version }): VersionData => {
    return {
      ...{ number, kind, sizeBytes, sha256, snapshots },
      ...sides(version),
      path: formatTreePath(version.path),
      modifiedAtMs: milliseconds(version.modifiedAtNs),
    };
  });
  const periods = history.periods.map(({ version, problem, snapshots, ...period }) => {
    return { version, problem: problem === null ? null : inertLine(problem), snapshots, ...sides(period) };
  });
  return { versions, periods };
}
