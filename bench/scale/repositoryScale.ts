// usage: repositoryScale.js FOLDER index|snapshots COUNT → one line of JSON. A process of its own, so that its memory says
// something: it opens the repository that its parent made and loads the index or the list of snapshots.

import { loadCatalog } from "../../core/repository/catalog.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { reopenRepository } from "./bigRepository.js";

const [folder, what, cacheFolder] = process.argv.slice(2) as [string, string, string | undefined];
const onWarning = (warning: { message: string }) => console.error(warning.message);

async function loadIndex(): Promise<object> {
  const repository = await reopenRepository(folder, cacheFolder ?? null);
  const started = performance.now();
  const { index } = await loadPresenceForReading(repository, { onWarning });
  const seconds = (performance.now() - started) / 1000;
  const lookups = 200_000;
  const id = new Uint8Array(32);
  const lookupsStarted = performance.now();
  let found = 0;
  for (let i = 0; i < lookups; i++) {
    new DataView(id.buffer).setUint32(0, (i * 2654435761) >>> 0);
    if (index.has(id)) found++;
  }
  const lookupMicroseconds = ((performance.now() - lookupsStarted) * 1000) / lookups;
  const { blobCount, memoryBytes } = index;
  if (blobCount === 0) throw new Error("the index is empty: there is nothing to measure");
  return {
    seconds,
    blobCount,
    bytesPerChunk: memoryBytes / blobCount,
    lookupMicroseconds,
    found,
    peakBytes: peakBytes(),
  };
}

async function listSnapshots(): Promise<object> {
  const repository = await reopenRepository(folder, cacheFolder ?? null);
  const started = performance.now();
  const { snapshots } = await loadCatalog(repository, { onWarning });
  return { seconds: (performance.now() - started) / 1000, count: snapshots.length, peakBytes: peakBytes() };
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

console.log(JSON.stringify(what === "index" ? await loadIndex() : await listSnapshots()));
