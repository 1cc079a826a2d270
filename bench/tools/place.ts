// Where the repository of a run lies: in its folder, or on the S3 server of this bench.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { benchGateway, type Gateway } from "../s3/gateway.js";

export interface Place {
  /** Before the tool makes its empty repository there. */
  prepare(folder: string): Promise<void>;
  /** What the tool is given as the name of the repository. */
  location(folder: string): string;
  environment(): Record<string, string>;
  storedBytes(folder: string): Promise<number>;
  /** Processor time that a server has taken so far; absent: there is none. */
  serverCpuSeconds?(): Promise<number>;
}

export const localPlace: Place = {
  prepare: async () => {},
  location: (folder) => join(folder, "repository"),
  environment: () => ({}),
  async storedBytes(folder) {
    const entries = await readdir(join(folder, "repository"), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  },
};

/** Each prepared repository has a bucket of its own; a place serves one run at a time. */
export function s3Place(): Place {
  let gateway: Gateway | undefined;
  let location = "";
  const current = () => {
    if (gateway === undefined) throw new Error("the place on S3 was not prepared");
    return gateway;
  };
  return {
    async prepare() {
      gateway = await benchGateway();
      location = await gateway.newPlace();
    },
    location: () => location,
    environment: () => current().environment,
    async storedBytes() {
      const backend = await openS3Backend(location, { credentials: current().credentials });
      let sum = 0;
      for await (const { sizeBytes } of backend.list("")) sum += sizeBytes;
      await backend.close();
      return sum;
    },
    serverCpuSeconds: () => current().cpuSeconds(),
  };
}
