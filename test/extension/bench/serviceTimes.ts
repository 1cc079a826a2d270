// The same without a window: what of the time is the service's, in the bundle that users get.

import { pathToFileURL } from "node:url";
import { passphrase } from "../../../bench/scale/bigRepository.js";
import { ServiceClient } from "../../../extension/service/client.js";
import { inProject } from "../../support/projectRoot.js";
import { MANY_FOLDER } from "./scaleRepositories.js";

/** Milliseconds. */
export interface ServiceTimes {
  open: number;
  firstMachines: number;
  allMachines: number;
  folderPage: number;
  folderNames: number;
}

const ASK_EVERY_MS = 50;

export async function serviceTimes(location: string, cacheFolder: string): Promise<ServiceTimes> {
  const onWarning = ({ message }: { message: string }) => console.error(message);
  const client = new ServiceClient(pathToFileURL(inProject("dist", "extension", "service.mjs")), {
    onWarning,
    onStopped: (error) => console.error(error.message),
  });
  const startMs = performance.now();
  const sinceStart = () => performance.now() - startMs;
  try {
    const argument = { location, secret: passphrase, cacheFolder, stateFolder: null, readAhead: true };
    const { handle: repository } = await client.call("openRepository", argument);
    const open = sinceStart();
    let firstMachines = 0;
    for (;;) {
      const page = { repository, namespace: "", offset: 0, limit: 500, waitMs: ASK_EVERY_MS };
      const { items, reading } = await client.call("machines", page);
      if (items.length > 0) firstMachines ||= sinceStart();
      if (reading === null) break;
    }
    const allMachines = sinceStart();
    const newest = { repository, machine: "vm/folders", offset: 0, limit: 1 };
    const snapshot = (await client.call("snapshots", newest)).items[0]?.snapshotId ?? "";
    const place = { repository, snapshot, path: `/sda/p1/${MANY_FOLDER}` };
    const listMs = performance.now();
    await client.call("list", { ...place, offset: 0, limit: 500 });
    const folderPage = performance.now() - listMs;
    const namesMs = performance.now();
    await client.call("names", place);
    return { open, firstMachines, allMachines, folderPage, folderNames: performance.now() - namesMs };
  } finally {
    await client.close();
  }
}
