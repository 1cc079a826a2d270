// What goes on running after a call has answered: NBD servers and machines that were started from snapshots. Ends with their
// repository, with the extension, or when it is told to.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  abortable,
  type BootedSnapshot,
  bootSnapshot,
  type ChunkFetcher,
  ConsoleFilter,
  exportSnapshot,
  inertLine,
  type NbdServer,
  openChunkFetcher,
  RepriseError,
  type Snapshot,
  startNbdServer,
} from "../../core/index.js";
import type { BootData, NbdData } from "./actionsProtocol.js";
import { machineOf } from "./catalogAnswers.js";
import type { AnswerOf, ArgumentOf, Handle } from "./protocol.js";
import type { CallContext, Session } from "./session.js";
import { useToolFolder } from "./toolFolder.js";

const MAX_RUNNING = 32;
/** What nobody fetches is lost from its beginning. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const MAX_INPUT_CHARS = 1024 * 1024;

interface Running {
  repository: Handle;
  close(): Promise<void>;
}

export class RunningServers {
  readonly #running = new Map<number, Running>();
  readonly #boots = new Map<number, BootConsole>();
  /** As of handles: a number of a service that has died means nothing. */
  #next = Math.floor(Math.random() * 2 ** 44);

  /** On a unix socket that only its owner reaches; on Windows on a port of this computer. */
  async startNbd(session: Session, argument: ArgumentOf<"startNbd">, context: CallContext): Promise<NbdData> {
    this.#checkCount();
    const snapshot = await session.snapshot(argument.snapshot, context);
    const nbd = await RunningNbd.start(session, snapshot, context);
    const server = this.#keep(argument.repository, nbd);
    return { server, machine: machineOf(snapshot), snapshotId: snapshot.sid, disks: nbd.disks };
  }

  async startBoot(session: Session, argument: ArgumentOf<"startBoot">, context: CallContext): Promise<BootData> {
    this.#checkCount();
    useToolFolder(argument.toolFolder);
    const snapshot = await session.snapshot(argument.snapshot, context);
    const wishes = { memoryMiB: null, cpus: null, machineType: null, secureBoot: null, firmware: null, tpm: null };
    const network = { mode: "isolated", subnet: "10.0.2.0/24", gateway: "10.0.2.2", forwards: [] } as const;
    const booted = await bootSnapshot(
      {
        ...{ repository: session.repository, snapshot, network, accelerator: "auto", vnc: argument.vnc },
        wishes: { ...wishes, diskBus: null, nicModel: null },
      },
      context,
    );
    const output = new BootConsole(booted);
    const boot = this.#keep(argument.repository, output);
    this.#boots.set(boot, output);
    const { machine, shape, accelerator, notes } = booted;
    return {
      ...{ boot, machine: machineOf(snapshot), snapshotId: snapshot.sid, vncSocket: machine.vncSocketPath },
      hardware: `${shape.machineType}, ${shape.memoryMiB} MiB, ${shape.cpus} CPU, ${shape.firmware.kind.toUpperCase()}`,
      accelerator: `${accelerator.kind}: ${accelerator.reason}`,
      notes: notes.map(inertLine),
    };
  }

  bootOutput({ boot }: ArgumentOf<"bootOutput">, { signal }: CallContext): Promise<AnswerOf<"bootOutput">> {
    return this.#boot(boot).output(signal);
  }

  bootInput({ boot, text }: ArgumentOf<"bootInput">): void {
    if (text.length <= MAX_INPUT_CHARS) this.#boot(boot).write(text);
  }

  /** Also of what has ended, and twice. */
  async stop(number: number): Promise<void> {
    const running = this.#running.get(number);
    this.#running.delete(number);
    this.#boots.delete(number);
    await running?.close();
  }

  async stopOf(repository: Handle): Promise<void> {
    const own = [...this.#running].filter(([, running]) => running.repository === repository);
    await Promise.all(own.map(([number]) => this.stop(number)));
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#running.keys()].map((number) => this.stop(number)));
  }

  #keep(repository: Handle, closeable: { close(): Promise<void> }): number {
    const number = this.#next++;
    this.#running.set(number, { repository, close: () => closeable.close() });
    return number;
  }

  #boot(number: number): BootConsole {
    const boot = this.#boots.get(number);
    if (boot !== undefined) return boot;
    throw new RepriseError("usage", "SERVICE_HANDLE_CLOSED", "this machine does not run any more", {
      hint: "start it again",
    });
  }

  #checkCount(): void {
    if (this.#running.size < MAX_RUNNING) return;
    throw new RepriseError("usage", "SERVICE_TOO_MANY_OPEN", `${MAX_RUNNING} servers and machines run already`, {
      hint: "stop one of them",
    });
  }
}

class RunningNbd {
  readonly disks: NbdData["disks"];
  readonly #close: () => Promise<void>;

  private constructor(disks: NbdData["disks"], close: () => Promise<void>) {
    this.disks = disks;
    this.#close = close;
  }

  static async start(session: Session, snapshot: Snapshot, context: CallContext): Promise<RunningNbd> {
    const { onWarning } = context;
    let fetcher: ChunkFetcher | undefined;
    let folder: string | undefined;
    let server: NbdServer | undefined;
    const close = async () => {
      await server?.close();
      await fetcher?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    };
    try {
      fetcher = await openChunkFetcher(session.repository, context);
      const exports = await exportSnapshot(snapshot, fetcher, [], context);
      if (exports.length === 0) throw withoutDisk(snapshot);
      if (process.platform !== "win32") folder = await mkdtemp(join(tmpdir(), "reprise-nbd-"));
      const address = folder === undefined ? { host: "127.0.0.1", port: 0 } : { socketPath: join(folder, "nbd.sock") };
      const onError = (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        onWarning({ code: "NBD_READ_FAILED", message });
      };
      const started = await startNbdServer({ address, exports, onError });
      server = started;
      const disks = exports.map(({ name, sizeBytes }) => ({ name, sizeBytes, uri: nbdUri(started, name) }));
      return new RunningNbd(disks, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

function nbdUri({ address }: NbdServer, name: string): string {
  const path = encodeURIComponent(name);
  if ("socketPath" in address) return `nbd+unix:///${path}?socket=${encodeURIComponent(address.socketPath)}`;
  return `nbd://${address.host}:${address.port}/${path}`;
}

function withoutDisk({ manifest }: Snapshot): RepriseError {
  return new RepriseError("usage", "SNAPSHOT_WITHOUT_DISK", `${manifest.group}@${manifest.time} holds no disk`, {
    hint: "folders that were backed up are opened or restored instead",
  });
}

/** A machine's console with what it has printed and nobody has fetched yet. */
class BootConsole {
  readonly #booted: BootedSnapshot;
  readonly #filter = new ConsoleFilter();
  readonly #endBytes: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended: string | undefined;
  #wake: (() => void) | undefined;

  constructor(booted: BootedSnapshot) {
    this.#booted = booted;
    this.#endBytes = booted.machine.serial.onBytes((chunk) => this.#add(this.#filter.pass(chunk)));
    void booted.machine.end.then(({ description }) => {
      this.#ended = inertLine(description);
      this.#wake?.();
    });
  }

  async output(signal: AbortSignal): Promise<AnswerOf<"bootOutput">> {
    while (this.#waitingBytes === 0 && this.#ended === undefined) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await abortable(woken, signal);
    }
    const bytes = new Uint8Array(this.#waitingBytes);
    let offset = 0;
    for (const chunk of this.#waiting) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    [this.#waiting, this.#waitingBytes] = [[], 0];
    if (this.#ended === undefined) return { bytes, end: null };
    return { bytes, end: { description: this.#ended, readErrors: this.#booted.readErrors().map(inertLine) } };
  }

  write(text: string): void {
    this.#booted.machine.serial.write(new TextEncoder().encode(text));
  }

  async close(): Promise<void> {
    this.#endBytes();
    this.#wake?.();
    await this.#booted.close();
  }

  #add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    while (this.#waitingBytes > MAX_OUTPUT_BYTES) this.#waitingBytes -= this.#waiting.shift()?.length ?? 0;
    this.#wake?.();
  }
}
