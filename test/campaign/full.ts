// No space left at random moments of backup, gc and restore: on a small tmpfs for root, else by a limit on file sizes. What
// was finished stays, the error says what is the matter, and when there is space again everything goes on.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Repository } from "../../core/repository/repository.js";
import { inProject } from "../support/projectRoot.js";
import { type Campaign, type CampaignOptions, Chance, printTable } from "./campaign.js";
import { changeDisk, digestOfFile, makeCampaignDisk } from "./campaignDisk.js";
import { CommandLine, campaignPassphrase, type Ended, startProgram } from "./commandLine.js";
import { digestOfRestore, listSnapshots, openCampaignRepository } from "./inspector.js";

type Verb = "backup" | "gc" | "restore";

const TMPFS_BYTES = 160 * 2 ** 20;
/** So many runs of a verb must meet a full disk at least once, or the campaign shows nothing about it. */
const RUNS_TO_TELL = 5;
const CODES = /STORAGE_FULL|TARGET_FULL/;

export const fullCampaign: Campaign = {
  summary: "60 × no space left during backup, gc and restore; nothing finished is harmed",
  defaultCount: 60,
  run: (options) => new FullCampaign(options).run(),
};

class FullCampaign {
  readonly #options: CampaignOptions;
  readonly #chance: Chance;
  readonly #small: string;
  readonly #disk: string;
  readonly #isRoot = process.getuid?.() === 0;
  readonly #expected = new Map<string, string>();
  readonly #violations: string[] = [];
  #repository: Repository | undefined;
  readonly #tallies = { backup: [0, 0], gc: [0, 0], restore: [0, 0] };

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#small = join(options.folder, "small");
    this.#disk = join(options.folder, "disk.raw");
  }

  async run(): Promise<string[]> {
    await mkdir(this.#small);
    if (this.#isRoot) execFileSync("mount", ["-t", "tmpfs", "-o", `size=${TMPFS_BYTES}`, "tmpfs", this.#small]);
    else console.log("not root: a limit on file sizes instead of a small file system");
    try {
      await this.#trials();
    } finally {
      if (this.#isRoot) execFileSync("umount", [this.#small]);
    }
    const rows = Object.entries(this.#tallies).map(([verb, [full, through]]) => [
      verb,
      (full ?? 0) + (through ?? 0),
      full ?? 0,
      through ?? 0,
    ]);
    for (const [verb, runs, full] of rows as [string, number, number, number][]) {
      if (runs >= RUNS_TO_TELL && full === 0) this.#violations.push(`${verb}: never without space in ${runs} runs`);
    }
    printTable(["verb", "runs", "ran out of space", "came through"], rows);
    return this.#violations;
  }

  async #trials(): Promise<void> {
    await makeCampaignDisk(this.#disk, this.#options.seed);
    const cli = new CommandLine(this.#options.folder, join(this.#small, "repository"));
    await cli.json("init");
    await this.#freshBackup(cli);
    for (let trial = 1; trial <= this.#options.count; trial++) {
      await changeDisk(this.#disk, this.#chance);
      await this.#trial(cli, this.#chance.pick<Verb>(["backup", "backup", "gc", "restore"]));
      if (trial % 10 === 0) console.log(`${trial} trials, ${this.#expected.size} snapshots`);
      if (trial % 5 === 0) await this.#makeRoom(cli);
    }
    await this.#freshBackup(cli);
    const { code, stdout, stderr } = await cli.run("verify", "--read-data", "--json");
    if (code !== 0) this.#violations.push(`verify in the end: ${code} ${stdout.slice(0, 500)} ${stderr.slice(0, 500)}`);
  }

  async #trial(cli: CommandLine, verb: Verb): Promise<void> {
    const target = join(this.#small, "restored.raw");
    const args = {
      backup: ["backup", this.#disk, "--group", "vm/full", "--json"],
      gc: ["gc", "--fence-after", "0s", "--max-unused", "0", "--json"],
      restore: ["restore", "vm/full@latest", "--to", target, "--no-resume", "--json"],
    }[verb];
    const ended = await this.#withLittleSpace(cli, verb, args);
    const ranOut = CODES.test(ended.stdout + ended.stderr);
    this.#tallies[verb][ended.code === 0 || ended.code === 3 ? 1 : 0] += 1;
    if (ended.code !== 0 && ended.code !== 3) {
      if (!ranOut)
        this.#violations.push(
          `${verb} without space: code ${ended.code ?? ended.signal}, ${ended.stderr} ${ended.stdout}`.slice(0, 800),
        );
      if (verb === "restore" && existsSync(target))
        this.#violations.push("a restore that ran out of space left its target");
    }
    if (verb === "restore") await this.#checkTarget(cli, target);
    await this.#checkSnapshots(cli, verb);
  }

  /** A ballast takes all but a random little of the space; or the process may write no large file. */
  async #withLittleSpace(cli: CommandLine, verb: Verb, args: string[]): Promise<Ended> {
    // A gc writes little when there is little to copy: half of the time there is next to nothing.
    const gcBytes = this.#chance.below(2) === 0 ? 16 * 2 ** 10 : 2 ** 20;
    const most = { backup: 4 * 2 ** 20, gc: gcBytes, restore: 60 * 2 ** 20 }[verb];
    const freeBytes = this.#chance.below(most);
    if (!this.#isRoot) return this.#withFileLimit(cli, args, freeBytes);
    const ballast = join(this.#small, "ballast");
    const { bavail, bsize } = await statfs(this.#small);
    const file = await open(ballast, "w");
    execFileSync("fallocate", ["-l", String(Math.max(1, bavail * bsize - freeBytes)), ballast]);
    await file.close();
    try {
      return await cli.run(...args);
    } finally {
      await rm(ballast);
    }
  }

  #withFileLimit(cli: CommandLine, args: string[], bytes: number): Promise<Ended> {
    const program = inProject("dist", "cli", "reprise.mjs");
    const script = `trap '' XFSZ; ulimit -f ${Math.floor(bytes / 1024)}; exec "$0" "$@"`;
    const env = {
      PATH: process.env.PATH,
      REPRISE_PASSPHRASE: campaignPassphrase,
      REPRISE_REPOSITORY: cli.repository,
      REPRISE_CACHE_DIR: join(this.#options.folder, "cache"),
    };
    return startProgram("bash", ["-c", script, process.execPath, program, ...args], { env }).ended;
  }

  /** Opened once, because that takes a while on purpose. */
  async #open(cli: CommandLine): Promise<Repository> {
    this.#repository ??= await openCampaignRepository(cli.repository);
    return this.#repository;
  }

  async #checkTarget(cli: CommandLine, target: string): Promise<void> {
    if (!existsSync(target)) return;
    const { snapshotId } = await cli.json<{ snapshotId: string }>("show", "vm/full@latest");
    if ((await digestOfFile(target)) !== this.#expected.get(snapshotId))
      this.#violations.push("a restore that came through differs");
    await rm(target);
  }

  async #checkSnapshots(cli: CommandLine, verb: Verb): Promise<void> {
    const repository = await this.#open(cli);
    const snapshots = await listSnapshots(repository);
    for (const snapshot of snapshots) {
      const known = this.#expected.get(snapshot.sid);
      const digest = await digestOfRestore(repository, snapshot);
      const expected = known ?? (await digestOfFile(this.#disk));
      if (digest !== expected)
        this.#violations.push(`after ${verb}: snapshot ${snapshot.sid} restores to something else`);
      this.#expected.set(snapshot.sid, expected);
    }
    const present = new Set<string>(snapshots.map(({ sid }) => sid));
    for (const sid of this.#expected.keys()) {
      if (present.has(sid)) continue;
      this.#violations.push(`after ${verb}: snapshot ${sid} is gone`);
      this.#expected.delete(sid);
    }
  }

  /** With space again the next backup works at once. */
  async #freshBackup(cli: CommandLine): Promise<void> {
    const ended = await cli.run("backup", this.#disk, "--group", "vm/full", "--json");
    if (ended.code !== 0 && ended.code !== 3)
      this.#violations.push(`a backup with space again: ${ended.code} ${ended.stderr}`);
    await this.#checkSnapshots(cli, "backup");
  }

  async #makeRoom(cli: CommandLine): Promise<void> {
    await this.#freshBackup(cli);
    await cli.json("prune", "--keep-last", "2", "--group", "vm/full", "--confirm");
    const kept = new Set<string>((await listSnapshots(await this.#open(cli))).map(({ sid }) => sid));
    for (const sid of this.#expected.keys()) if (!kept.has(sid)) this.#expected.delete(sid);
    const ended = await cli.run("gc", "--fence-after", "0s", "--max-unused", "0", "--json");
    if (ended.code !== 0 && ended.code !== 3)
      this.#violations.push(`a gc with space again: ${ended.code} ${ended.stderr}`);
    await this.#checkSnapshots(cli, "gc");
  }
}
