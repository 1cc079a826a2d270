// One changed byte at random places of a real repository: verify --read-data must report each one, name what it harms and
// nothing else, and never complain of the sound repository.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { baseName, objectName } from "../../core/format/ids.js";
import type { Repository } from "../../core/repository/repository.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { verifyRepository } from "../../core/verify/verify.js";
import type { VerifyReport } from "../../core/verify/verifyReport.js";
import { findNeeds, type LostPart, listBlobs, type StoredBlob } from "../support/damageSample.js";
import { objectSizes, withFlip } from "../support/objectChanges.js";
import { type Campaign, type CampaignOptions, Chance, mebibytes, printTable } from "./campaign.js";
import { changeDisk, makeCampaignDisk } from "./campaignDisk.js";
import { CommandLine } from "./commandLine.js";
import { listSnapshots, openCampaignRepository } from "./inspector.js";

/** Every so many flips one goes through the command line, too. */
const COMMAND_LINE_EVERY = 25;

interface Place {
  key: string;
  at: number;
  mask: number;
}

interface Tally {
  objects: number;
  bytes: number;
  flips: number;
  reported: number;
  deadSpace: number;
  snapshotsHarmed: number;
}

export const flipCampaign: Campaign = {
  summary: "500 × one changed byte anywhere in a repository; verify --read-data reports each one",
  defaultCount: 500,
  run: (options) => new FlipCampaign(options).run(),
};

class FlipCampaign {
  readonly #options: CampaignOptions;
  readonly #chance: Chance;
  readonly #cli: CommandLine;
  readonly #violations: string[] = [];
  readonly #tallies = new Map<string, Tally>();
  #objects: { key: string; sizeBytes: number }[] = [];
  #repository: Repository | undefined;
  #blobs: StoredBlob[] = [];
  #needs = new Map<string, LostPart[]>();
  #soundChecks = 0;
  #throughCommandLine = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#cli = new CommandLine(options.folder);
  }

  async run(): Promise<string[]> {
    await this.#makeRepository();
    await this.#load();
    await this.#checkSound();
    for (let flip = 1; flip <= this.#options.count; flip++) {
      const place = flip % 2 === 0 ? this.#placeByObject() : this.#placeBySize();
      await this.#flip(place, flip % COMMAND_LINE_EVERY === 0);
      if (flip % 50 === 0) await this.#checkSound();
      if (flip % 100 === 0) console.log(`${flip} flips`);
    }
    await this.#checkSound();
    this.#print();
    return this.#violations;
  }

  /** Five backups of two machines, then prune, gc, notes and verifications: one of every kind of object, and dead space. */
  async #makeRepository(): Promise<void> {
    const { folder, seed } = this.#options;
    const disk = join(folder, "disk.raw");
    const config = join(folder, "a.conf");
    await makeCampaignDisk(disk, seed);
    await writeFile(config, "name: a\n");
    await this.#cli.json("init");
    for (let day = 0; day < 4; day++) {
      await this.#cli.json("backup", disk, "--group", "vm/a", "--config", config);
      await changeDisk(disk, this.#chance);
    }
    await this.#cli.json("backup", disk, "--group", "ct/b", "--ns", "prod");
    await this.#cli.json("prune", "--keep-last", "2", "--confirm");
    await this.#cli.json("gc", "--max-unused", "100%");
    await this.#cli.json("notes", "vm/a@latest", "kept");
    await this.#cli.json("verify", "--read-data");
    await this.#leaveAnnouncement(disk);
  }

  /** A backup that was killed leaves its announcement. */
  async #leaveAnnouncement(disk: string): Promise<void> {
    const { child, ended } = this.#cli.start("backup", disk, "--group", "vm/killed");
    const backend = await openLocalBackend(this.#cli.repository);
    let announced = false;
    while (!announced && child.exitCode === null) announced = (await objectSizes(backend, "sessions/")).length > 0;
    child.kill("SIGKILL");
    await ended;
  }

  /** Into memory, where a flip costs nothing. */
  async #load(): Promise<void> {
    const stored = await openLocalBackend(this.#cli.repository);
    const memory = new MemoryBackend();
    for (const { key } of await objectSizes(stored)) await memory.put(key, await stored.get(key));
    this.#objects = await objectSizes(memory);
    this.#repository = await openCampaignRepository(memory);
    const manifests = (await listSnapshots(this.#repository)).map(({ manifest }) => manifest);
    this.#blobs = await listBlobs(this.#repository);
    this.#needs = await findNeeds(this.#repository, manifests);
    for (const { key, sizeBytes } of this.#objects) {
      const tally = this.#tallyOf(key);
      tally.objects++;
      tally.bytes += sizeBytes;
    }
  }

  /** Each kind of object as often as every other, and within it each object. */
  #placeByObject(): Place {
    const kind = this.#chance.pick([...this.#tallies.keys()]);
    const { key, sizeBytes } = this.#chance.pick(this.#objects.filter((object) => kindOf(object.key) === kind));
    return { key, at: this.#chance.below(sizeBytes), mask: 1 + this.#chance.below(255) };
  }

  /** Each byte of the repository as often as every other. */
  #placeBySize(): Place {
    const total = this.#objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    let at = this.#chance.below(total);
    for (const { key, sizeBytes } of this.#objects) {
      if (at < sizeBytes) return { key, at, mask: 1 + this.#chance.below(255) };
      at -= sizeBytes;
    }
    throw new Error("no object holds this byte");
  }

  async #flip(place: Place, throughCommandLine: boolean): Promise<void> {
    const { key, at, mask } = place;
    const { backend } = this.#repository as Repository;
    const report = await withFlip(backend, key, at, mask, () => this.#verify());
    this.#judge(place, report);
    if (!throughCommandLine) return;
    const stored = await openLocalBackend(this.#cli.repository);
    await withFlip(stored, key, at, mask, () => this.#judgeCommandLine(place, report));
    this.#throughCommandLine++;
  }

  #judge({ key, at }: Place, report: VerifyReport): void {
    const tally = this.#tallyOf(key);
    tally.flips++;
    const blob = this.#blobs.find(({ pack, start, end }) => objectName.pack(pack) === key && at >= start && at < end);
    const lost = (blob && this.#needs.get(blob.id)) ?? [];
    if (key.startsWith("packs/") && blob && lost.length === 0) tally.deadSpace++;
    const blamed = [
      ...report.objects.problems.map(({ object }) => object),
      ...report.packs.problems.map(({ pack }) => objectName.pack(pack)),
    ];
    if (!report.ok && blamed.includes(key)) tally.reported++;
    else this.#violate(`byte ${at} of ${key} was not reported`);
    if (blamed.some((name) => name !== key)) this.#violate(`byte ${at} of ${key}: ${blamed.join(", ")} are blamed`);
    const harmed = report.snapshots.flatMap(({ damaged }) => damaged.map(textOf)).sort();
    if (harmed.length > 0) tally.snapshotsHarmed++;
    if (key.startsWith("packs/") && harmed.join() !== lost.map(textOf).sort().join()) {
      this.#violate(`byte ${at} of ${key} harms ${lost.map(textOf).join()}, reported was ${harmed.join()}`);
    }
  }

  async #judgeCommandLine({ key, at }: Place, expected: VerifyReport): Promise<void> {
    const { code, stdout, stderr } = await this.#cli.run("verify", "--read-data", "--no-record", "--json");
    const about = `byte ${at} of ${key} through the command line`;
    // the slot that our passphrase opens: then the repository cannot be opened at all, and that is what is said
    const mayStayShut = key.startsWith("keys/") && code === 2;
    if (code !== 1 && !mayStayShut) this.#violate(`${about}: code ${code} ${stderr.slice(0, 300)}`);
    const name = key.startsWith("packs/") ? baseName(key) : key;
    if (!`${stdout}${stderr}`.includes(name)) this.#violate(`${about}: ${name} is not named`);
    for (const { sid } of expected.snapshots.filter(({ result }) => result === "damaged")) {
      if (!stdout.includes(sid)) this.#violate(`${about}: snapshot ${sid} is not named`);
    }
  }

  async #checkSound(): Promise<void> {
    this.#soundChecks++;
    const report = await this.#verify();
    const problems = [...report.objects.problems, ...report.packs.problems];
    if (!report.ok || problems.length > 0)
      this.#violate(`the sound repository is reported: ${JSON.stringify(problems)}`);
    if (this.#soundChecks > 1) return;
    const { code, stdout } = await this.#cli.run("verify", "--read-data", "--no-record", "--json");
    if (code !== 0) this.#violate(`verify of the sound repository ended with ${code}: ${stdout.slice(0, 500)}`);
  }

  #verify(): Promise<VerifyReport> {
    const request = { snapshots: null, readData: true, ignoreVerified: false, outdatedAfterMs: null, subset: null };
    return verifyRepository(
      this.#repository as Repository,
      { ...request, record: false, lanes: 0 },
      { onWarning: () => {} },
    );
  }

  #tallyOf(key: string): Tally {
    const kind = kindOf(key);
    const tally = this.#tallies.get(kind) ?? {
      objects: 0,
      bytes: 0,
      flips: 0,
      reported: 0,
      deadSpace: 0,
      snapshotsHarmed: 0,
    };
    this.#tallies.set(kind, tally);
    return tally;
  }

  #violate(text: string): void {
    console.log(`VIOLATION: ${text}`);
    this.#violations.push(text);
  }

  #print(): void {
    const rows = [...this.#tallies].map(([kind, tally]) => {
      const { objects, bytes, flips, reported, deadSpace, snapshotsHarmed } = tally;
      return [kind, objects, mebibytes(bytes), flips, reported, deadSpace, snapshotsHarmed];
    });
    const sum = (column: number) => rows.reduce((total, row) => total + Number(row[column]), 0);
    rows.push(["all", sum(1), "", sum(3), sum(4), sum(5), sum(6)]);
    printTable(["kind", "objects", "size", "flips", "reported", "in dead space", "harm snapshots"], rows);
    console.log(
      `the sound repository was verified ${this.#soundChecks} times; ${this.#throughCommandLine} flips also through the command line`,
    );
  }
}

function kindOf(key: string): string {
  if (key.startsWith("gc/")) return key.endsWith(".plan") ? "plan" : "final";
  return key.includes("/") ? (key.split("/")[0] as string) : key;
}

function textOf({ snapshot, archive, offset, length }: LostPart): string {
  return `${snapshot} ${archive} ${offset}+${length}`;
}
