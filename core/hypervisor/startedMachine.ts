// A machine that runs: its ports, its screen, its end. Made by startMachine.

import { readFile, rm, stat } from "node:fs/promises";
import type { GuardedProcess } from "./guardedProcess.js";
import type { GuestAgent } from "./guestAgent.js";
import type { HubPort } from "./hub.js";
import { hypervisorError } from "./hypervisorErrors.js";
import { type MachineEnd, MachineWatch } from "./machineEnd.js";
import { decodePpm, encodePng, MAX_PPM_BYTES, type Screenshot } from "./picture.js";
import type { QmpClient } from "./qmpClient.js";
import type { RunningMachine, StartRequest } from "./runningMachine.js";
import type { SerialLog } from "./serialLog.js";
import { parseUsernet } from "./usernet.js";

export interface MachineParts {
  process: GuardedProcess;
  plan: { arguments: string[]; notes: string[] };
  serial: SerialLog;
  agent: GuestAgent;
  qmp: QmpClient;
  /** They end with it. */
  companions: readonly GuardedProcess[];
  hubPort: HubPort | null;
  vncSocketPath: string | null;
  overlays: RunningMachine["overlays"];
  request: StartRequest;
  rebootsAllowed: number;
}

const COMPANION_MS = 2_000;

export class StartedMachine implements RunningMachine {
  readonly pid: number;
  readonly arguments: readonly string[];
  readonly notes: readonly string[];
  readonly version: string;
  readonly serial: SerialLog;
  readonly agent: GuestAgent;
  readonly qmp: QmpClient;
  readonly vncSocketPath: string | null;
  readonly overlays: RunningMachine["overlays"];
  readonly end: Promise<MachineEnd>;
  readonly #parts: MachineParts;
  readonly #watch: MachineWatch;
  /** Guest port to host port, of a machine without a group. */
  readonly #ports = new Map<number, number>();
  #poweredOnAtMs = 0;
  #hasEnded = false;
  #isFilmed: Promise<unknown> = Promise.resolve();

  constructor(parts: MachineParts) {
    this.#parts = parts;
    const { process, plan, serial, agent, qmp, rebootsAllowed } = parts;
    this.pid = process.pid;
    this.arguments = plan.arguments;
    this.notes = plan.notes;
    this.version = qmp.version;
    this.serial = serial;
    this.agent = agent;
    this.qmp = qmp;
    this.vncSocketPath = parts.vncSocketPath;
    this.overlays = parts.overlays;
    this.#watch = new MachineWatch({ process, qmp, serial, rebootsAllowed, screenshot: () => this.#takePicture() });
    this.end = this.#finish();
  }

  get poweredOnAtMs(): number {
    return this.#poweredOnAtMs;
  }

  get reboots(): number {
    return this.#watch.reboots;
  }

  async powerOn(signal?: AbortSignal): Promise<void> {
    await this.#readPorts(signal);
    this.#poweredOnAtMs = performance.now();
    await this.qmp.execute("cont", {}, { signal });
  }

  hostPort(guestPort: number): number {
    const { hubPort } = this.#parts;
    const port = hubPort === null ? this.#ports.get(guestPort) : hubPort.hostPort(guestPort);
    if (port !== undefined) return port;
    throw hypervisorError("PORT_NOT_FORWARDED", `port ${guestPort} of the machine is not forwarded`, {
      hint: "name it among the forwards when the machine is started",
    });
  }

  async establishedConnections(guestPort: number): Promise<number | null> {
    const { hubPort } = this.#parts;
    if (hubPort !== null) return await hubPort.establishedConnections(guestPort);
    const hostPort = this.#ports.get(guestPort);
    if (hostPort === undefined || this.#hasEnded) return null;
    const table = await this.qmp.monitorCommand("info usernet").catch(() => null);
    if (table === null) return null;
    const isOurs = (row: { hostPort: number; guestPort: number }) =>
      row.hostPort === hostPort && row.guestPort === guestPort;
    return parseUsernet(table).filter((row) => row.kind === "established" && isOurs(row)).length;
  }

  async screenshot(options: { signal?: AbortSignal } = {}): Promise<Screenshot> {
    if (this.#hasEnded) throw hypervisorError("MACHINE_ENDED", "the machine has ended: it has no screen any more");
    return await this.#takePicture(options.signal);
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
    await this.end;
  }

  async #finish(): Promise<MachineEnd> {
    const end = await this.#watch.end;
    this.#hasEnded = true;
    this.agent.close();
    for (const companion of this.#parts.companions) await companion.end(COMPANION_MS);
    await this.#parts.hubPort?.close();
    return end;
  }

  async #readPorts(signal?: AbortSignal): Promise<void> {
    const { network, shape } = this.#parts.request;
    if (network.mode === "none" || network.hub !== undefined || shape.nics.length === 0) return;
    if (network.forwards.length === 0) return;
    const rows = parseUsernet(await this.qmp.monitorCommand("info usernet", { signal }));
    for (const { kind, hostPort, guestPort, guestAddress } of rows) {
      const wanted = network.forwards.find((forward) => forward.guestPort === guestPort);
      const fits = wanted?.guestAddress === undefined || wanted.guestAddress === guestAddress;
      if (kind === "forward" && wanted !== undefined && fits) this.#ports.set(guestPort, hostPort);
    }
  }

  /** One after the other: all use the same file. */
  async #takePicture(signal?: AbortSignal): Promise<Screenshot> {
    const mine = this.#isFilmed.then(async () => {
      const { runFolder } = this.#parts.request;
      const path = runFolder.child(`screen-${this.pid}.ppm`);
      try {
        await this.qmp.execute("screendump", { filename: path }, { signal });
        const { size } = await stat(path);
        if (size > MAX_PPM_BYTES) throw hypervisorError("SCREENSHOT_INVALID", `the picture has ${size} bytes`);
        const { width, height, rgb } = decodePpm(await readFile(path));
        return { width, height, rgb, png: encodePng(width, height, rgb) };
      } finally {
        await rm(path, { force: true });
      }
    });
    this.#isFilmed = mine.catch(() => undefined);
    return await mine;
  }
}
