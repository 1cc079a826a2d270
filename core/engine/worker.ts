// Entry point of every worker thread: starts the lane it is told to and answers its calls. The one file outside the
// operations that knows their lanes.

import { type MessagePort, parentPort } from "node:worker_threads";
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

function serve(port: MessagePort, start: LaneStart): void {
  const starter = STARTERS[start.kind];
  if (starter === undefined) throw new Error(`no lane of kind ${start.kind}`);
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

const port = parentPort;
if (port === null) throw new Error("this file is the code of a worker thread");
port.once("message", (start: LaneStart) => serve(port, start));
