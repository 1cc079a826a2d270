// Starts a throw-away machine: its disks are read from where they are and written to overlays, its network leads nowhere,
// and everything it says is bounded. It knows nothing of repositories or checks.

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type AwaitedCaller, acceptOnce } from "./acceptOnce.js";
import type { DiskLayer } from "./diskArguments.js";
import { prepareFirmware } from "./firmware.js";
import { type GuardedProcess, startGuarded } from "./guardedProcess.js";
import { GuestAgent } from "./guestAgent.js";
import type { HubPort } from "./hub.js";
import { hypervisorError, shown } from "./hypervisorErrors.js";
import { machineArguments } from "./machineArguments.js";
import type { NetworkPlan } from "./networkArguments.js";
import { createOverlay } from "./overlay.js";
import { GROUP_VERSION, isOlder, probeQemu } from "./qemuProgram.js";
import { QmpClient } from "./qmpClient.js";
import type { RunningMachine, StartRequest } from "./runningMachine.js";
import { SerialLog } from "./serialLog.js";
import { StartedMachine } from "./startedMachine.js";
import { withinLimit } from "./timeLimit.js";
import { startTpm } from "./tpm.js";

export type { AttachedDisk } from "./diskArguments.js";
export type { MachineNetwork, RunningMachine, StartRequest } from "./runningMachine.js";

/** Starting QEMU takes 0.3 s; this is for a machine under heavy load. */
const START_MS = 120_000;
const GRACE_MS = 1_000;

/**
 * The machine runs when this returns. TOOL_MISSING, HYPERVISOR_TOO_OLD, HYPERVISOR_FAILED (with QEMU's own words),
 * FIRMWARE_MISSING, MACHINE_SHAPE_INVALID, MACHINE_NETWORK_INVALID, RUN_FOLDER_UNUSABLE, and errors of the disks' sources. After an
 * error or an abort nothing runs; files stay in the run folder until it is removed.
 */
export async function startMachine(
  request: StartRequest,
  options: { signal?: AbortSignal } = {},
): Promise<RunningMachine> {
  const start = new Start(request, options.signal);
  try {
    return await start.run();
  } catch (error) {
    await start.undo();
    throw error;
  }
}

class Start {
  readonly #request: StartRequest;
  readonly #signal: AbortSignal | undefined;
  readonly #callers: AwaitedCaller[] = [];
  readonly #processes: GuardedProcess[] = [];
  readonly #overlays: { disk: string; path: string }[] = [];
  #hubPort: HubPort | undefined;

  constructor(request: StartRequest, signal: AbortSignal | undefined) {
    this.#request = request;
    this.#signal = signal;
  }

  async run(): Promise<RunningMachine> {
    const { shape, runFolder, accelerator } = this.#request;
    this.#signal?.throwIfAborted();
    const number = runFolder.nextNumber();
    const child = (name: string) => runFolder.child(`m${number}-${name}`);
    const program = await probeQemu(this.#signal);
    const macs = shape.nics.map(({ mac }) => mac ?? randomMac());
    const network = await this.#network(macs, isOlder(program, GROUP_VERSION) ? program.version : null);
    const firmware = await prepareFirmware(shape.firmware, this.#request.firmwareVariables, child("variables.fd"));
    const disks = await this.#layers(child);
    const callers = await this.#listen(child);
    const tpm = shape.tpm ? await startTpm(runFolder, number, this.#signal) : null;
    if (tpm !== null) this.#processes.push(tpm.process);
    const vncSocketPath = this.#request.vnc === true ? child("vnc.sock") : null;
    const { name, onDiskError = "end" } = this.#request;
    const plan = machineArguments(
      {
        ...{ name, shape, disks, network, macs, firmware },
        accelerator: accelerator.kind,
        onDiskError: onDiskError === "end" ? "stop" : "report",
        endsOnReboot: this.#rebootsAllowed === 0,
        sockets: {
          ...{ qmp: callers.qmp.path, serial: callers.serial.path, agent: callers.agent.path },
          ...{ tpm: tpm?.socketPath ?? null, vnc: vncSocketPath },
        },
      },
      program,
    );
    const process = await startGuarded("qemu-system-x86_64", plan.arguments, runFolder.path);
    this.#processes.push(process);
    try {
      return await this.#connect(process, plan, callers, vncSocketPath);
    } catch (error) {
      this.#signal?.throwIfAborted();
      // Why QEMU ended says more than that its connections did.
      const end = await Promise.race([process.ended, sleep(GRACE_MS, null)]);
      throw end === null ? error : notStarted(end.lastWords);
    }
  }

  async undo(): Promise<void> {
    for (const { close } of this.#callers) close();
    for (const process of this.#processes.reverse()) await process.end(0);
    await this.#hubPort?.close();
  }

  get #rebootsAllowed(): number {
    const { shape, firmwareVariables, rebootsAllowed } = this.#request;
    return rebootsAllowed ?? (shape.firmware.kind === "uefi" && firmwareVariables === undefined ? 1 : 0);
  }

  async #network(macs: readonly string[], tooOld: string | null): Promise<NetworkPlan> {
    const { network } = this.#request;
    if (network.mode === "none") return { kind: "none" };
    const { hub, subnet, gateway, forwards } = network;
    if (hub === undefined) return { kind: "user", subnet, gateway, forwards };
    if (tooOld !== null) {
      throw hypervisorError("HYPERVISOR_TOO_OLD", `QEMU ${tooOld} cannot connect the machines of a group`, {
        hint: `install QEMU ${GROUP_VERSION.join(".")} or newer`,
      });
    }
    this.#hubPort = await hub.addMachine(macs[0] ?? "", forwards);
    return { kind: "hub", socketPath: this.#hubPort.socketPath };
  }

  async #layers(child: (name: string) => string): Promise<DiskLayer[]> {
    const { disks, shape, overlayBytes } = this.#request;
    if (disks.length !== shape.disks.length) {
      throw hypervisorError(
        "MACHINE_SHAPE_INVALID",
        `${shape.disks.length} disks are described, ${disks.length} given`,
      );
    }
    const layers: DiskLayer[] = [];
    for (const [index, disk] of disks.entries()) {
      const overlayPath = child(`disk${index}.qcow2`);
      const bytes = await createOverlay(disk, overlayPath, { maxBytes: overlayBytes, signal: this.#signal });
      this.#overlays.push({ disk: disk.name, path: overlayPath });
      layers.push({ disk, shape: shape.disks[index]!, overlayPath, overlayBytes: bytes });
    }
    return layers;
  }

  async #listen(child: (name: string) => string) {
    const listen = async (name: string) => {
      const caller = await acceptOnce(child(name));
      this.#callers.push(caller);
      return caller;
    };
    return { qmp: await listen("qmp.sock"), serial: await listen("serial.sock"), agent: await listen("agent.sock") };
  }

  async #connect(
    process: GuardedProcess,
    plan: { arguments: string[]; notes: string[] },
    callers: { qmp: AwaitedCaller; serial: AwaitedCaller; agent: AwaitedCaller },
    vncSocketPath: string | null,
  ): Promise<RunningMachine> {
    const { accelerator } = this.#request;
    const sockets = Promise.all([callers.qmp.connected, callers.serial.connected, callers.agent.connected]);
    const tooLate = () => hypervisorError("HYPERVISOR_FAILED", "QEMU did not start in time", { retry: "later" });
    const limit = { timeoutMs: START_MS, signal: this.#signal };
    const [qmpSocket, serialSocket, agentSocket] = await withinLimit<Socket[]>(limit, tooLate, (resolve, reject) => {
      sockets.then(resolve, reject);
      process.ended.then(({ lastWords }) => reject(notStarted(lastWords)));
      return undefined;
    });
    const serial = new SerialLog();
    joinSerial(serial, serialSocket as Socket);
    const agent = new GuestAgent(agentSocket as Socket, { slowdown: accelerator.slowdown });
    const qmp = await QmpClient.overSocket(qmpSocket as Socket, limit);
    const machine = new StartedMachine({
      ...{ process, plan, serial, agent, qmp, vncSocketPath },
      companions: this.#processes.filter((other) => other !== process),
      hubPort: this.#hubPort ?? null,
      overlays: this.#overlays,
      request: this.#request,
      rebootsAllowed: this.#rebootsAllowed,
    });
    await machine.powerOn(this.#signal);
    return machine;
  }
}

function joinSerial(serial: SerialLog, socket: Socket): void {
  socket.on("data", (chunk: Uint8Array) => serial.feed(chunk));
  socket.on("error", () => {});
  serial.connect((bytes) => {
    if (socket.writable) socket.write(bytes);
  });
}

function notStarted(lastWords: string): Error {
  const words = lastWords.split("\n").at(-1) ?? "";
  return hypervisorError("HYPERVISOR_FAILED", `QEMU did not start: ${shown(words) || "no reason given"}`, {
    data: { stderr: shown(lastWords, 2000) },
  });
}

/** In the range that QEMU uses. */
function randomMac(): string {
  return ["52", "54", "00", ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
