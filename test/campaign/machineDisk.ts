// The disk of a small machine: 16 MiB, a quarter of it written, and a little of that anew every day. Machines have parts in
// common.

import { open } from "node:fs/promises";
import { noise, prose } from "../support/sampleBytes.js";
import { Chance } from "./campaign.js";
import { digestOfFile } from "./campaignDisk.js";

const MIB = 2 ** 20;
const SIZE_BYTES = 16 * MIB;

export class MachineDisk {
  readonly path: string;
  readonly #chance: Chance;

  private constructor(path: string, chance: Chance) {
    this.path = path;
    this.#chance = chance;
  }

  /** `path` must not exist. */
  static async make(path: string, seed: number): Promise<MachineDisk> {
    const file = await open(path, "wx");
    await file.truncate(SIZE_BYTES);
    await file.write(noise(1, MIB), 0, MIB, 0);
    await file.write(prose(2, MIB), 0, MIB, 3 * MIB);
    await file.write(noise(1000 + seed, 2 * MIB), 0, 2 * MIB, 8 * MIB);
    await file.close();
    return new MachineDisk(path, new Chance(seed));
  }

  /** Never the same contents twice; answers their digest. */
  async change(): Promise<string> {
    const file = await open(this.path, "r+");
    for (let n = 0; n < 4; n++) {
      const length = 512 + this.#chance.below(200_000);
      const bytes = noise(this.#chance.below(2 ** 31), length);
      await file.write(bytes, 0, length, this.#chance.below(SIZE_BYTES - length));
    }
    await file.close();
    return await digestOfFile(this.path);
  }
}
