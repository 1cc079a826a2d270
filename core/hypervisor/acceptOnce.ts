// A unix socket that waits for one caller: QEMU connects to us, so nothing it says is missed and nothing has to be polled.

import { createServer, type Server, type Socket } from "node:net";

export interface AwaitedCaller {
  readonly path: string;
  readonly connected: Promise<Socket>;
  /** Nobody more is let in, and the socket's file is gone. The caller's connection stays. */
  close(): void;
}

export async function acceptOnce(path: string): Promise<AwaitedCaller> {
  let server: Server | undefined;
  const connected = new Promise<Socket>((resolve) => {
    server = createServer((socket) => {
      server?.close();
      resolve(socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server?.once("error", reject);
    server?.listen(path, resolve);
  });
  return {
    path,
    connected,
    close: () => {
      if (server?.listening) server.close();
    },
  };
}
