// Eight machines, each backed up by processes of its own, into one repository on Ceph's S3 gateway, while prune and gc run in a
// loop; kill -9 for any of these processes, and for the gateway. Afterwards every finished snapshot verifies and restores.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Snapshot } from "../../core/repository/catalog.js";
import type { Repository } from "../../core/repository/repository.js";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { S3Server } from "../support/s3Server.js";
import { type Campaign, type CampaignOptions, Chance, printTable } from "./campaign.js";
import { CommandLine, type Ended } from "./commandLine.js";
import { digestOfRestore, listSnapshots, openCampaignRepository } from "./inspector.js";
import { MachineDisk } from "./machineDisk.js";

export interface EightOptions {
  seed: number;
  folder: string;
  /** How long the eight work. */
  workMs: number;
  /** They go on until so many snapshots are finished, and the gateway and a process have been killed. Default: 0. */
  leastFinished?: number;
  /** The gateway is killed after so long, again and again; from half of it to one and a half. */
  gatewayLivesMs: number;
  /** Snapshots to restore and compare in the end, at most. */
  restores: number;
}

export interface EightReport {
  violations: string[];
  /** Runs by verb and by how they ended. */
  outcomes: Map<string, number>;
  gatewayKills: number;
  finished: number;
  present: number;
  restored: number;
}

type Verb = "backup" | "prune" | "gc";

interface Finished {
  group: string;
  digest: string;
}

const MACHINES = 8;
const KEEP_LAST = 3;
/** Of processes that are killed. */
const KILLED = 0.25;
/** Longer than any of the processes usually takes; a slower one is given up and begins again (W7). */
const FENCE_AFTER = "20s";
const DEFAULT_MINUTES = 5;
/** Longest a process may take: the patience of the S3 client, twice. */
const LONGEST_MS = 300_000;
/** For what has to happen on a machine that is busy with other things. */
const MOST_EXTRA_MS = 150_000;
/** Errors that a killed gateway explains, and a collector that gave a slow backup up. */
const UNDERSTANDABLE = /^(STORAGE_|S3_|COMMIT_UNCERTAIN$|GC_PROBE_FAILED$|SESSION_FENCED$)/;

export const eightCampaign: Campaign = {
  summary: "[--minutes M] eight machines into one Ceph repository; processes and the gateway are killed",
  defaultCount: 1,
  async run({ seed, folder, minutes = DEFAULT_MINUTES }: CampaignOptions) {
    const server = await S3Server.start();
    try {
      const report = await runEight(server, {
        seed,
        folder,
        workMs: minutes * 60_000,
        gatewayLivesMs: 10_000,
        restores: 40,
      });
      print(report);
      return report.violations;
    } finally {
      server.stop();
    }
  },
};

export async function runEight(server: S3Server, options: EightOptions): Promise<EightReport> {
  return await new Eight(server, options).run();
}

class Eight {
  readonly #violations: string[] = [];
  readonly #outcomes = new Map<string, number>();
  readonly #server: S3Server;
  readonly #options: EightOptions;
  readonly #chance: Chance;
  /** By snapshot: what a backup has said in its last words. */
  readonly #finished = new Map<string, Finished>();
  /** Digests that a backup of the machine has been started with. */
  readonly #tried = new Map<string, Set<string>>();
  #cli!: CommandLine;
  #location = "";
  #usualMs: Record<Verb, number> = { backup: 3000, prune: 2000, gc: 3000 };
  #gatewayKills = 0;
  #ends = 0;

  constructor(server: S3Server, options: EightOptions) {
    this.#server = server;
    this.#options = options;
    this.#chance = new Chance(options.seed);
  }

  async run(): Promise<EightReport> {
    await this.#begin();
    this.#ends = performance.now() + this.#options.workMs;
    const machines = Array.from({ length: MACHINES }, (_, n) => this.#machine(n + 1));
    await Promise.all([...machines, this.#pruneInALoop(), this.#collectInALoop(), this.#killTheGateway()]);
    await this.#server.resume();
    const { present, restored } = await this.#check();
    return {
      ...{ violations: this.#violations, outcomes: this.#outcomes, gatewayKills: this.#gatewayKills },
      ...{ finished: this.#finished.size, present, restored },
    };
  }

  /** The recovery key opens the repository without the time that guessing passphrases shall take. */
  async #begin(): Promise<void> {
    const { folder } = this.#options;
    this.#location = this.#server.location(await this.#server.newBucket(), "eight");
    const environment = this.#server.environment();
    const keyFile = join(folder, "recovery-key.txt");
    const init = new CommandLine(folder, this.#location, environment);
    await init.json("init", "--pack-size", "1M", "--recovery-key-file", keyFile);
    const recoveryKey = (await readFile(keyFile, "utf8")).trim();
    this.#cli = new CommandLine(folder, this.#location, {
      ...environment,
      REPRISE_PASSPHRASE: "",
      REPRISE_RECOVERY_KEY: recoveryKey,
    });
  }

  get #isOver(): boolean {
    if (performance.now() < this.#ends) return false;
    if (performance.now() > this.#ends + MOST_EXTRA_MS) return true;
    const { leastFinished = 0 } = this.#options;
    if (leastFinished === 0) return true;
    const wasKilled = [...this.#outcomes.keys()].some((outcome) => outcome.endsWith("killed"));
    return wasKilled && this.#gatewayKills > 0 && this.#finished.size >= leastFinished;
  }

  async #machine(number: number): Promise<void> {
    const group = `vm/machine${number}`;
    const disk = await MachineDisk.make(
      join(this.#options.folder, `machine${number}.raw`),
      this.#options.seed + number,
    );
    const tried = new Set<string>();
    this.#tried.set(group, tried);
    while (!this.#isOver) {
      const digest = await disk.change();
      tried.add(digest);
      const ended = await this.#run("backup", [disk.path, "--group", group]);
      const { snapshotId } = documentOf(ended) as { snapshotId?: string };
      if (snapshotId) this.#finished.set(snapshotId, { group, digest });
    }
  }

  async #pruneInALoop(): Promise<void> {
    while (!this.#isOver) {
      await this.#run("prune", ["--keep-last", String(KEEP_LAST), "--confirm"]);
      await delay(this.#chance.between(500, 3000));
    }
  }

  async #collectInALoop(): Promise<void> {
    while (!this.#isOver) {
      await this.#run("gc", [
        "--fence-after",
        FENCE_AFTER,
        "--max-unused",
        this.#chance.pick(["0", "20%"]),
        "--confirm",
      ]);
      await delay(this.#chance.between(0, 1000));
    }
  }

  /** It is away for up to two seconds, and as long as it takes to start. */
  async #killTheGateway(): Promise<void> {
    const { gatewayLivesMs } = this.#options;
    while (!this.#isOver) {
      await this.#pause(this.#chance.between(0.5, 1.5) * gatewayLivesMs);
      if (this.#isOver) return;
      await this.#server.killGateway();
      this.#gatewayKills++;
      await delay(this.#chance.between(0, 2000));
      await this.#server.resume();
    }
  }

  /** Until then, or until the work is over. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && !this.#isOver) await delay(Math.min(100, until - performance.now()));
  }

  async #run(verb: Verb, args: string[]): Promise<Ended> {
    const { child, ended } = this.#cli.start(verb, ...args, "--json");
    const isKilled = this.#chance.next() < KILLED;
    const afterMs = isKilled ? this.#chance.between(0.2, 1.2) * this.#usualMs[verb] : LONGEST_MS;
    const timer = setTimeout(() => child.kill("SIGKILL"), afterMs);
    const outcome = await ended;
    clearTimeout(timer);
    this.#judge(verb, outcome, isKilled);
    return outcome;
  }

  #judge(verb: Verb, ended: Ended, isKilled: boolean): void {
    const word = wordFor(ended);
    this.#outcomes.set(`${verb} ${word}`, (this.#outcomes.get(`${verb} ${word}`) ?? 0) + 1);
    if (word === "done") {
      // Slowly, so that one wait for the gateway does not make all kills come too late.
      this.#usualMs[verb] = this.#usualMs[verb] * 0.8 + ended.ms * 0.2;
    } else if (word === "killed") {
      if (!isKilled) this.#violate(`${verb} hangs: ${textOf(ended)}`);
    } else if (!UNDERSTANDABLE.test(word)) this.#violate(`${verb} ended with ${textOf(ended)}`);
  }

  async #check(): Promise<{ present: number; restored: number }> {
    const credentials = this.#server.admin;
    const repository = await openCampaignRepository(await openS3Backend(this.#location, { credentials }));
    try {
      const snapshots = await listSnapshots(repository);
      this.#checkPresent(snapshots);
      await this.#expect("verify", "--read-data");
      const restored = await this.#checkContents(repository, snapshots);
      await this.#checkWork();
      return { present: snapshots.length, restored };
    } finally {
      await repository.backend.close();
    }
  }

  /** Only what the policy does not keep may be missing: of what it keeps, so many newer ones are there. */
  #checkPresent(snapshots: readonly Snapshot[]): void {
    const present = new Set<string>(snapshots.map(({ sid }) => sid));
    for (const [sid, { group }] of this.#finished) {
      const left = snapshots.filter(({ manifest }) => manifest.group === group).length;
      if (!present.has(sid) && left < KEEP_LAST) this.#violate(`the finished snapshot ${sid} of ${group} is lost`);
    }
  }

  /** What was finished holds the disk as it was then; what nobody heard of holds some disk that was tried. */
  async #checkContents(repository: Repository, snapshots: readonly Snapshot[]): Promise<number> {
    const chosen = [...snapshots];
    while (chosen.length > this.#options.restores) chosen.splice(this.#chance.below(chosen.length), 1);
    for (const snapshot of chosen) {
      const { sid, manifest } = snapshot;
      const digest = await digestOfRestore(repository, snapshot);
      const finished = this.#finished.get(sid);
      const isRight = finished ? finished.digest === digest : this.#tried.get(manifest.group)?.has(digest);
      if (!isRight) this.#violate(`${sid} of ${manifest.group} restores to something else`);
    }
    return chosen.length;
  }

  /** Nothing to unlock and nothing to wait for. */
  async #checkWork(): Promise<void> {
    await this.#expect("gc", "--fence-after", "0s", "--max-unused", "0", "--confirm");
    const disk = await MachineDisk.make(join(this.#options.folder, "next.raw"), this.#options.seed);
    await this.#expect("backup", disk.path, "--group", "vm/next");
    await this.#expect("verify", "--read-data");
  }

  async #expect(...args: string[]): Promise<void> {
    const ended = await this.#cli.run(...args, "--json");
    if (wordFor(ended) !== "done") this.#violate(`in the end, ${args.join(" ")}: ${textOf(ended)}`);
  }

  #violate(text: string): void {
    this.#violations.push(text);
  }
}

/** `done`, `killed`, or an error's code. */
function wordFor(ended: Ended): string {
  if (ended.code === 0 || ended.code === 3) return "done";
  if (ended.signal !== null) return "killed";
  const { error } = documentOf(ended) as { error?: { code?: string } };
  return error?.code ?? `code ${ended.code}`;
}

/** Empty when the process did not come to its last words. */
function documentOf({ stdout }: Ended): Record<string, unknown> {
  try {
    return JSON.parse(stdout) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function textOf({ code, signal, stderr, stdout }: Ended): string {
  return `${code ?? signal}: ${stderr.trim()} ${stdout.trim()}`.slice(0, 1000);
}

function print({ outcomes, gatewayKills, finished, present, restored }: EightReport): void {
  printTable(
    ["runs", "times"],
    [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  console.log(`gateway killed and restarted: ${gatewayKills}`);
  console.log(`snapshots finished: ${finished}; present in the end: ${present}; restored and compared: ${restored}`);
}
