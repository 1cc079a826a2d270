// Makes the large repositories and has repositoryScale.js measure them.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, projectRoot } from "../disks.js";
import { execute } from "../measure.js";
import { addChunks, addSnapshots, makeRepository } from "./bigRepository.js";

export interface IndexScale {
  seconds: number;
  blobCount: number;
  bytesPerChunk: number;
  lookupMicroseconds: number;
  peakBytes: number;
}

export interface SnapshotScale {
  count: number;
  firstSeconds: number;
  cachedSeconds: number;
  peakBytes: number;
}

async function inFreshFolder<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(cacheFolder, `${name}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function load<T>(args: string[]): Promise<T> {
  const script = join(projectRoot, "build", "bench", "scale", "repositoryScale.js");
  const output = await execute({ program: process.execPath, args: [script, ...args] });
  return JSON.parse(output.trim().split("\n").at(-1)!) as T;
}

export async function measureChunkIndex(chunkCount: number): Promise<IndexScale> {
  return inFreshFolder("index", async (folder) => {
    const repository = await makeRepository(join(folder, "repository"));
    await addChunks(repository, join(folder, "repository"), chunkCount);
    await repository.close();
    return load<IndexScale>([join(folder, "repository"), "index"]);
  });
}

export async function measureSnapshotList(count: number): Promise<SnapshotScale> {
  return inFreshFolder("snapshots", async (folder) => {
    const repository = await makeRepository(join(folder, "repository"));
    await addSnapshots(repository, count);
    await repository.close();
    const args = [join(folder, "repository"), "snapshots", join(folder, "cache")];
    const first = await load<{ seconds: number; count: number; peakBytes: number }>(args);
    const cached = await load<{ seconds: number }>(args);
    return { ...first, firstSeconds: first.seconds, cachedSeconds: cached.seconds };
  });
}
