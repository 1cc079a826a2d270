// kill -9 of backup, prune and gc at random instants, on a real repository, with a disk that changes all the time. After
// each: every snapshot that was finished is there and restores, and the next backup works at once.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Snapshot } from "../../core/repository/catalog.js";
import type { Repository } from "../../core/repository/repository.js";
import { type Campaign, type CampaignOptions, Chance, mebibytes, printTable } from "./campaign.js";
import { changeDisk, digestOfFile, makeCampaignDisk } from "./campaignDisk.js";
import { CommandLine, type Ended, type Running } from "./commandLine.js";
import { countObjects, digestOfRestore, listSnapshots, openCampaignRepository, storedBytes } from "./inspector.js";

type Verb = "backup" | "prune" | "gc";

const GROUP = "vm/killed";
const KEEP_LAST = 4;
const COMMANDS: Record<Verb, (disk: string) => string[]> = {
  backup: (disk) => ["backup", disk, "--group", GROUP, "--json"],
  prune: () => ["prune", "--keep-last", String(KEEP_LAST), "--group", GROUP, "--confirm", "--json"],
  gc: () => ["gc", "--fence-after", "0s", "--max-unused", "0", "--json"],
};
/** So much garbage may be left in the end, compared with a fresh repository that holds the same snapshots. */
const MAX_LEFT_OVER = 1.1;

interface Tally {
  killed: number;
  finished: number;
  /** Killed after its snapshot was committed: it counts as finished. */
  committedAllTheSame: number;
  totalMs: number;
}

export const killCampaign: Campaign = {
  summary: "200 × kill -9 during backup, prune and gc; every finished snapshot restores",
  defaultCount: 200,
  run: (options) => new KillCampaign(options).run(),
};

class KillCampaign {
  readonly #options: CampaignOptions;
  readonly #chance: Chance;
  readonly #cli: CommandLine;
  readonly #disk: string;
  readonly #violations: string[] = [];
  /** What each snapshot must restore to, and its time. */
  readonly #expected = new Map<string, { digest: string; time: string }>();
  readonly #tallies: Record<Verb, Tally>;
  /** How long each verb takes when nobody kills it: the last time. */
  readonly #usualMs: Record<Verb, number> = { backup: 1500, prune: 600, gc: 1000 };
  /** Opened once, because that takes a while on purpose; everything is listed and read anew each time. */
  #repository: Repository | undefined;
  #restores = 0;
  #backupsAtOnce = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#cli = new CommandLine(options.folder);
    this.#disk = join(options.folder, "disk.raw");
    const none = () => ({ killed: 0, finished: 0, committedAllTheSame: 0, totalMs: 0 });
    this.#tallies = { backup: none(), prune: none(), gc: none() };
  }

  async run(): Promise<string[]> {
    const { count, seed } = this.#options;
    await makeCampaignDisk(this.#disk, seed);
    await this.#cli.json("init");
    await this.#measure();
    for (let round = 1; round <= count; round++) {
      await this.#round(round);
      if (round % 10 === 0) this.#expectSuccess("gc", await this.#cli.run(...COMMANDS.gc(this.#disk)));
      if (round % 20 === 0) console.log(`${round} kills, ${this.#expected.size} snapshots, ${this.#restores} restored`);
    }
    await this.#checkEverySnapshot();
    await this.#checkSpace();
    this.#print();
    return this.#violations;
  }

  /** Undisturbed runs, to know how long each takes. */
  async #measure(): Promise<void> {
    for (const verb of ["backup", "backup", "prune", "gc"] as const) {
      const ended = await this.#cli.run(...COMMANDS[verb](this.#disk));
      this.#expectSuccess(verb, ended);
      await this.#noteNewSnapshots(new Set([await digestOfFile(this.#disk)]), "an undisturbed backup");
      await changeDisk(this.#disk, this.#chance);
    }
  }

  async #round(round: number): Promise<void> {
    const verb = this.#chance.pick<Verb>(["backup", "backup", "backup", "prune", "gc", "gc"]);
    const digest = await digestOfFile(this.#disk);
    if (this.#chance.below(5) === 0) await this.#killOneOfTwo(verb);
    else await this.#kill(verb, this.#cli.start(...COMMANDS[verb](this.#disk)));
    await this.#noteNewSnapshots(new Set([digest]), `a killed ${verb}`, this.#tallies[verb]);
    await changeDisk(this.#disk, this.#chance);
    await this.#backUpAtOnce();
    if (round % 2 === 0) await this.#checkRestore(this.#chance.pick(await this.#list()));
  }

  async #kill(verb: Verb, { child, ended }: Running): Promise<void> {
    const tally = this.#tallies[verb];
    // The first third of a run goes into starting and unlocking; most kills strike later, where decisions are made.
    const share = this.#chance.below(4) === 0 ? this.#chance.between(0, 1.1) : this.#chance.between(0.4, 1.2);
    const timer = setTimeout(() => child.kill("SIGKILL"), share * this.#usualMs[verb]);
    const outcome = await ended;
    clearTimeout(timer);
    tally.totalMs += outcome.ms;
    if (outcome.signal === "SIGKILL") {
      tally.killed++;
      // Still running when it should have been done: the machine or the repository has become slower.
      if (share > 1) this.#usualMs[verb] *= 1.15;
    } else {
      tally.finished++;
      this.#expectSuccess(verb, outcome);
    }
  }

  /** The other one, which nobody kills, must do its work all the same. */
  async #killOneOfTwo(verb: Verb): Promise<void> {
    // With the usual patience: a collector must not give up a backup that lives.
    const other: Verb = verb === "backup" ? "gc" : "backup";
    const args = other === "gc" ? ["gc", "--json"] : COMMANDS[other](this.#disk);
    const companion = this.#cli.start(...args);
    const victim = verb === "gc" ? ["gc", "--json"] : COMMANDS[verb](this.#disk);
    await this.#kill(verb, this.#cli.start(...victim));
    const outcome = await companion.ended;
    if (outcome.code !== 0 && outcome.code !== 3)
      this.#violate(`${other} beside a killed ${verb} failed: ${textOf(outcome)}`);
  }

  /** Nothing to unlock, nothing to wait for. */
  async #backUpAtOnce(): Promise<void> {
    const digest = await digestOfFile(this.#disk);
    const ended = await this.#cli.run(...COMMANDS.backup(this.#disk));
    this.#expectSuccess("backup", ended, "the backup right after a kill");
    if (ended.code === 0 || ended.code === 3) this.#backupsAtOnce++;
    await this.#noteNewSnapshots(new Set([digest]), "the backup right after a kill");
  }

  /** Every snapshot not seen before must hold the disk as it is; of those known, only prune may have taken any. */
  async #noteNewSnapshots(digests: ReadonlySet<string>, origin: string, tally?: Tally): Promise<void> {
    const snapshots = await this.#list();
    for (const snapshot of snapshots) {
      if (this.#expected.has(snapshot.sid)) continue;
      const digest = await this.#restore(snapshot);
      if (!digests.has(digest)) this.#violate(`snapshot ${snapshot.sid} of ${origin} restores to something else`);
      this.#expected.set(snapshot.sid, { digest, time: snapshot.manifest.time });
      if (tally) tally.committedAllTheSame++;
    }
    this.#checkPresent(snapshots, origin);
  }

  /** Only what the policy does not keep may be missing: those with at least so many that are as new or newer. */
  #checkPresent(snapshots: readonly Snapshot[], origin: string): void {
    const present = new Set<string>(snapshots.map(({ sid }) => sid));
    const times = [...this.#expected.values()].map(({ time }) => time);
    for (const [sid, { time }] of this.#expected) {
      const asNew = times.filter((other) => other >= time).length - 1;
      if (!present.has(sid) && asNew < KEEP_LAST)
        this.#violate(`after ${origin} the finished snapshot ${sid} is missing`);
    }
  }

  async #checkEverySnapshot(): Promise<void> {
    for (const snapshot of await this.#list()) await this.#checkRestore(snapshot);
    const report = await this.#cli.run("verify", "--read-data", "--json");
    if (report.code !== 0) this.#violate(`verify --read-data in the end: ${textOf(report)}`);
  }

  async #checkRestore(snapshot: Snapshot): Promise<void> {
    const digest = await this.#restore(snapshot);
    if (digest !== this.#expected.get(snapshot.sid)?.digest)
      this.#violate(`snapshot ${snapshot.sid} restores to something else`);
  }

  /** Prunes, collects twice, and compares with a fresh repository that holds the very same snapshots. */
  async #checkSpace(): Promise<void> {
    for (const verb of ["prune", "gc", "gc"] as const) {
      this.#expectSuccess(verb, await this.#cli.run(...COMMANDS[verb](this.#disk)), `the last ${verb}`);
    }
    const repository = await this.#open();
    const snapshots = await listSnapshots(repository);
    const fresh = new CommandLine(join(this.#options.folder, "fresh"));
    await fresh.json("init");
    for (const { sid } of snapshots) {
      const path = join(this.#options.folder, "restored.raw");
      await this.#cli.json("restore", sid, "--to", path, "--force");
      if ((await digestOfFile(path)) !== this.#expected.get(sid)?.digest)
        this.#violate(`restore ${sid} by the command line differs`);
      await fresh.json("backup", path, "--group", GROUP);
    }
    const [left, wanted] = [
      await storedBytes(repository, "packs/"),
      await storedBytes(await openCampaignRepository(fresh.repository), "packs/"),
    ];
    console.log(
      `in the end ${mebibytes(left)} of packs; a fresh repository with the same ${snapshots.length}: ${mebibytes(wanted)}`,
    );
    if (left > wanted * MAX_LEFT_OVER)
      this.#violate(`gc left ${mebibytes(left)} where ${mebibytes(wanted)} are needed`);
    const sessions = await countObjects(repository, "sessions/");
    if (sessions > 0) this.#violate(`${sessions} announcements are left`);
    console.log(
      `probes of killed collectors, which gc removes after a day: ${await countObjects(repository, "probe/")}`,
    );
    const unfinished = await readdir(join(this.#cli.repository, "tmp")).catch(() => []);
    console.log(`unfinished files of killed processes in tmp/: ${unfinished.length}`);
  }

  async #open(): Promise<Repository> {
    this.#repository ??= await openCampaignRepository(this.#cli.repository);
    return this.#repository;
  }

  async #list(): Promise<Snapshot[]> {
    return listSnapshots(await this.#open());
  }

  async #restore(snapshot: Snapshot): Promise<string> {
    this.#restores++;
    return digestOfRestore(await this.#open(), snapshot);
  }

  #expectSuccess(verb: Verb, ended: Ended, what = `an undisturbed ${verb}`): void {
    if (ended.code === 0 || ended.code === 3) this.#usualMs[verb] = ended.ms;
    else this.#violate(`${what} failed: ${textOf(ended)}`);
  }

  #violate(text: string): void {
    console.log(`VIOLATION: ${text}`);
    this.#violations.push(text);
  }

  #print(): void {
    const rows = Object.entries(this.#tallies).map(([verb, tally]) => {
      const runs = tally.killed + tally.finished;
      return [
        verb,
        runs,
        tally.killed,
        tally.finished,
        tally.committedAllTheSame,
        `${Math.round(tally.totalMs / Math.max(1, runs))} ms`,
      ];
    });
    printTable(["verb", "runs", "killed", "came through", "snapshots meanwhile", "mean until its end"], rows);
    console.log(`backups right after a kill that worked at once: ${this.#backupsAtOnce} of ${this.#options.count}`);
    console.log(`snapshots finished: ${this.#expected.size}; restores compared: ${this.#restores}`);
  }
}

function textOf({ code, signal, stderr, stdout }: Ended): string {
  return `${code ?? signal}: ${stderr.trim()} ${stdout.trim()}`.slice(0, 600);
}
