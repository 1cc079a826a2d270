// Things that several tests need and one makes: test files run in several processes at once, and two makers of one thing
// would spoil each other's work.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const ASK_AGAIN_MS = 100;

/** Calls `build`, which has to make `path` as its last act, unless it is there; one process at a time for each path. */
export async function buildOnce(path: string, build: () => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const lock = await take(path);
  try {
    if (!existsSync(path)) await build();
  } finally {
    await new Promise((resolve) => lock.close(resolve));
  }
}

/** A name among the kernel's sockets, which cannot outlive the process that holds it. */
async function take(path: string): Promise<Server> {
  const name = `\0reprise-test-${createHash("sha256").update(path).digest("hex").slice(0, 32)}`;
  for (;;) {
    const server = createServer();
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once("error", resolve);
      server.listen(name, () => resolve(undefined));
    });
    if (error === undefined) return server;
    if (error.code !== "EADDRINUSE") throw error;
    await sleep(ASK_AGAIN_MS);
  }
}
