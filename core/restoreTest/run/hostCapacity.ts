// What this host can carry at once. Groups wait in line, first come first served, until their machines fit.

import { readFile } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";

export interface Load {
  memoryMiB: number;
  cpus: number;
}

/** Left for the host and for reading the repository. */
const USABLE_SHARE_OF_MEMORY = 0.75;
/** What QEMU takes beside the guest's memory: video, code cache, its own. */
export const QEMU_OVERHEAD_MIB = 256;

/** Memory that can be taken without swapping, and cores. */
export async function measureHost(): Promise<Load> {
  const memoryMiB = Math.floor(((await availableBytes()) * USABLE_SHARE_OF_MEMORY) / (1024 * 1024));
  return { memoryMiB, cpus: availableParallelism() };
}

async function availableBytes(): Promise<number> {
  // freemem() does not count what the kernel would give up of its page cache
  const meminfo = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

export class HostCapacity {
  readonly #total: Load;
  #used: Load = { memoryMiB: 0, cpus: 0 };
  readonly #waiting: { load: Load; start: () => void }[] = [];

  constructor(total: Load) {
    this.#total = total;
  }

  /** False for a load that would never fit: memory cannot be shared, processors can. */
  couldCarry(load: Load): boolean {
    return load.memoryMiB <= this.#total.memoryMiB;
  }

  /** Runs the work when its load fits beside what is running. The signal ends the waiting only. */
  async carry<T>(load: Load, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const counted = { memoryMiB: load.memoryMiB, cpus: Math.min(load.cpus, this.#total.cpus) };
    await this.#turn(counted, signal);
    try {
      return await work();
    } finally {
      this.#add(counted, -1);
      this.#startWaiting();
    }
  }

  async #turn(load: Load, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const entry = { load, start: resolve };
      this.#waiting.push(entry);
      signal?.addEventListener(
        "abort",
        () => {
          const at = this.#waiting.indexOf(entry);
          if (at < 0) return;
          this.#waiting.splice(at, 1);
          reject(signal.reason as Error);
          this.#startWaiting();
        },
        { once: true },
      );
      this.#startWaiting();
    });
  }

  #startWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.load); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#add(next.load, 1);
      next.start();
    }
  }

  #fits(load: Load): boolean {
    return (
      this.#used.memoryMiB + load.memoryMiB <= this.#total.memoryMiB && this.#used.cpus + load.cpus <= this.#total.cpus
    );
  }

  #add(load: Load, sign: 1 | -1): void {
    this.#used = {
      memoryMiB: this.#used.memoryMiB + sign * load.memoryMiB,
      cpus: this.#used.cpus + sign * load.cpus,
    };
  }
}
