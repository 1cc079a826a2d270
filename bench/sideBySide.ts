// The side-by-side run: every tool does the same steps on the same disks, in turn, in rounds; each round starts from an
// empty repository and rotates the order of the tools. Before a step its input is read once, so that all find it in the
// page cache, and earlier writes are flushed, so that nobody pays for another's. A step that fails, or a restored disk that
// differs, ends the tool's round and fails the run.

import { link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type BenchDisks, cacheFolder } from "./disks.js";
import { type Command, type Cost, execute, measureAnswer } from "./measure.js";
import type { BenchTool } from "./tools/tool.js";

export const steps = ["first backup", "second day", "third disk", "restore", "verify"] as const;
export type Step = (typeof steps)[number];

export interface ToolResults {
  costs: Partial<Record<Step, Cost[]>>;
  /** Bytes of the repository after the first disk, the second and the third; of the last round. */
  storedBytes: number[];
  /** Messages of rounds that broke off. */
  failures: string[];
}

export type SideBySideResults = Map<string, ToolResults>;

/** Puts another state of a machine's disk under the name that the tool backs up every day. */
async function showDisk(source: string, shown: string): Promise<void> {
  await rm(shown, { force: true });
  await link(source, shown);
  await execute({ program: "bash", args: ["-c", 'cat "$1" >/dev/null && sync', "bash", source] });
}

class ToolRun {
  readonly #tool: BenchTool;
  readonly #folder: string;
  readonly #results: ToolResults;

  constructor(tool: BenchTool, folder: string, results: ToolResults) {
    this.#tool = tool;
    this.#folder = folder;
    this.#results = results;
  }

  async all(disks: BenchDisks): Promise<void> {
    const shop = join(this.#folder, "shop.raw");
    const billing = join(this.#folder, "billing.raw");
    await this.#tool.init?.(this.#folder);
    this.#results.storedBytes = [];
    await this.#backup("first backup", disks.shop, shop, "shop");
    await this.#backup("second day", disks.shopNextDay, shop, "shop");
    await this.#backup("third disk", disks.billing, billing, "billing");
    await this.#restore(disks.shopNextDay, shop);
    const verify = this.#tool.verify?.(this.#folder);
    if (verify !== undefined) await this.#measure("verify", verify);
  }

  /** The answer of the command. */
  async #measure(step: Step, command: Command): Promise<string> {
    const { place } = this.#tool;
    const before = await place?.serverCpuSeconds?.();
    const { cost, answer } = await measureAnswer(command);
    const after = await place?.serverCpuSeconds?.();
    if (before !== undefined && after !== undefined) cost.serverCpuSeconds = after - before;
    this.#add(step, cost);
    return answer;
  }

  #add(step: Step, cost: Cost): void {
    const costs = this.#results.costs[step] ?? [];
    costs.push(cost);
    this.#results.costs[step] = costs;
    console.log(`  ${this.#tool.name.padEnd(10)} ${step.padEnd(13)} ${cost.wallSeconds.toFixed(2)} s`);
  }

  async #backup(step: Step, source: string, shown: string, machine: string): Promise<void> {
    await showDisk(source, shown);
    const command = this.#tool.backup?.(this.#folder, shown, machine);
    if (command === undefined) return;
    const answer = await this.#measure(step, command);
    const traffic = this.#tool.traffic?.(answer);
    if (traffic) this.#results.costs[step]!.at(-1)!.traffic = traffic;
    if (this.#tool.place !== undefined)
      this.#results.storedBytes.push(await this.#tool.place.storedBytes(this.#folder));
  }

  async #restore(original: string, shown: string): Promise<void> {
    const target = join(this.#folder, "restored");
    await mkdir(target);
    await showDisk(original, shown);
    const { command, result } = this.#tool.restore(this.#folder, shown, "shop", target);
    await this.#measure("restore", command);
    await execute({ program: "cmp", args: [original, result] });
    await rm(target, { recursive: true });
  }
}

export async function runSideBySide(
  tools: readonly BenchTool[],
  disks: BenchDisks,
  rounds: number,
): Promise<SideBySideResults> {
  const results: SideBySideResults = new Map(
    tools.map((tool) => [tool.name, { costs: {}, storedBytes: [], failures: [] }]),
  );
  for (let round = 0; round < rounds; round++) {
    console.log(`round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < tools.length; turn++) {
      const tool = tools[(round + turn) % tools.length]!;
      const folder = join(cacheFolder, `run-${process.pid}`);
      await mkdir(folder, { recursive: true });
      try {
        await new ToolRun(tool, folder, results.get(tool.name)!).all(disks);
      } catch (error) {
        console.error(`  ${tool.name}: the round broke off: ${(error as Error).message}`);
        results.get(tool.name)!.failures.push((error as Error).message);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
  return results;
}
