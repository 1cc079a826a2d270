// Entry point of every worker thread: starts the lane it is told to and answers its calls. The one file outside the
// operations that knows their lanes.

import { parentPort, workerData } from "node:worker_threads";
import { createBackupLane } from "../backup/backupLane.js";
import { errorToData } from "../errors.js";
import { createRestoreLane } from "../restore/restoreLane.js";
import { createVerifyLane } from "../verify/verifyLane.js";
import { transferOf } from "./lane.js";
import type { LaneReply, LaneRequest, LaneStart } from "./threadLane.js";

type Methods = Record<string, (argument: unknown) => Promise<unknown>>;

const STARTERS: Record<string, (init: never) => Promise<unknown>> = {
  backup: createBackupLane,
  restore: createRestoreLane,
  verify: createVerifyLane,
};

function serve(start: LaneStart): void {
  const port = parentPort;
  const starter = STARTERS[start.kind];
  if (port === null || starter === undefined) throw new Error(`no lane of kind ${start.kind}`);
  const lane = starter(start.init as never) as Promise<Methods>;
  lane.catch(() => {});
  port.on("message", async ({ call, method, argument }: LaneRequest) => {
    try {
      const result = await (await lane)[method]?.(argument);
      port.postMessage({ call, result } satisfies LaneReply, transferOf(result));
    } catch (error) {
      port.postMessage({ call, error: errorToData(error) } satisfies LaneReply);
    }
  });
}

serve(workerData as LaneStart);
