// What the machines of one run of a restore test share.

import type { ChunkFetcher } from "../../files/snapshotDisk.js";
import type { Sid } from "../../format/ids.js";
import type { Repository } from "../../repository/repository.js";
import type { Drill } from "../drill/startDrill.js";
import type { HostListener } from "./isolationProof.js";
import type { TestOptions, TestRequest } from "./testRequest.js";

export interface SharedRun {
  request: TestRequest;
  options: TestOptions;
  /** Without the limit of the whole test's time, which `options.signal` has. */
  interruption: AbortSignal;
  runId: Sid;
  /** The request's repository, or in a drill what it seems to be; nothing but the record goes to the other one. */
  reading: Repository;
  drill: Drill | null;
  fetcher: ChunkFetcher;
  listener: HostListener;
}
