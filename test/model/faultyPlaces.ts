// Real servers behind our fault proxies: where a faulty walk keeps its repository.

import type { Backend } from "../../core/storage/backend.js";
import { deleteAll } from "../../core/storage/deleteAll.js";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { openSftpBackend } from "../../core/storage/sftp/openSftpBackend.js";
import { NO_FAULTS } from "../support/faultProxy/fault.js";
import { faultsByChance } from "../support/faultProxy/faultSchedule.js";
import { HttpFaultProxy } from "../support/faultProxy/httpFaultProxy.js";
import {
  type ChooseTcpFault,
  NO_TCP_FAULTS,
  type TcpFault,
  TcpFaultProxy,
} from "../support/faultProxy/tcpFaultProxy.js";
import { listKeys } from "../support/listing.js";
import type { S3Server } from "../support/s3Server.js";
import type { SshServer } from "../support/sshServer.js";
import { SeededChoice } from "./seededChoice.js";

export interface FaultyPlace {
  readonly name: string;
  /** As the faults let it: may fail. */
  open(): Promise<Backend>;
  /** Past the proxy. */
  openDirectly(): Promise<Backend>;
  startFaults(): void;
  /** No more faults, and everything that was late has arrived. */
  calm(): Promise<void>;
  /** How often each fault was made. */
  readonly faults: ReadonlyMap<string, number>;
  /** Removes what was stored. */
  close(): Promise<void>;
}

/** Late requests arrive at most so much later: in the middle of what comes next. */
const LATEST_MS = 2500;
const S3_RATES = [0.02, 0.05, 0.1] as const;

export async function makeS3Place(server: S3Server, bucket: string, seed: number): Promise<FaultyPlace> {
  const proxy = await HttpFaultProxy.start(server.endpoint);
  const folder = `walk-${seed}-${process.pid}`;
  const open = (endpoint: string, timeoutSeconds: number, patienceMs: number) =>
    openS3Backend(`s3:${endpoint}/${bucket}/${folder}?timeout=${timeoutSeconds}`, {
      credentials: server.admin,
      retry: { baseMs: 30, capMs: 400, patienceMs: () => patienceMs },
    });
  const rate = new SeededChoice(seed).pick(S3_RATES);
  const openDirectly = () => open(server.endpoint, 60, 120_000);
  return {
    name: `S3, faults in ${rate * 100} % of requests`,
    faults: proxy.counts,
    open: () => open(proxy.endpoint, 2, 3000),
    openDirectly,
    startFaults: () => proxy.schedule(faultsByChance(seed, { rate, latestMs: LATEST_MS })),
    async calm() {
      proxy.schedule(NO_FAULTS);
      await proxy.settled();
    },
    async close() {
      await proxy.close();
      await removeAll(await openDirectly());
    },
  };
}

export async function makeSftpPlace(server: SshServer, seed: number): Promise<FaultyPlace> {
  const proxy = await TcpFaultProxy.start(server.port);
  const location = server.location(server.newRoot());
  const throughProxy = `${location.replace(`:${server.port}/`, `:${proxy.port}/`)}&connect-timeout=5`;
  const openDirectly = () => openSftpBackend(location);
  return {
    name: "SFTP",
    faults: proxy.counts,
    open: () => openSftpBackend(throughProxy, { idleTimeoutMs: 2000 }),
    openDirectly,
    startFaults: () => proxy.schedule(tcpFaultsByChance(seed)),
    async calm() {
      proxy.schedule(NO_TCP_FAULTS);
      await proxy.settle();
    },
    async close() {
      await proxy.close();
      await removeAll(await openDirectly());
    },
  };
}

/** Most connections break some time; the first bytes are a login, which breaks more rarely than what follows. */
function tcpFaultsByChance(seed: number): ChooseTcpFault {
  const choice = new SeededChoice(seed);
  return (): TcpFault => {
    const afterBytes = Math.floor(3000 * 1000 ** choice.next());
    const ms = choice.below(LATEST_MS);
    return choice.pick<TcpFault>([
      { kind: "none" },
      { kind: "cut", direction: "up", afterBytes },
      { kind: "cut", direction: "down", afterBytes },
      { kind: "hold back", afterBytes, ms },
      { kind: "hold back", afterBytes, ms },
      { kind: "truncate", afterBytes },
      { kind: "stall", afterBytes },
      { kind: "slow", everyMs: 1 + choice.below(2) },
    ]);
  };
}

async function removeAll(backend: Backend): Promise<void> {
  await deleteAll(backend, await listKeys(backend));
  await backend.close();
}
