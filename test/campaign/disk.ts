// A real Debian disk of 4 GiB, raw and qcow2: back up, restore, compare. Then the same with nothing but the repository's
// folder and plain Node: rescue.mjs finds no other file.

import { execFileSync } from "node:child_process";
import { copyFile, cp, mkdir, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inProject } from "../support/projectRoot.js";
import { type Campaign, type CampaignOptions, mebibytes, printTable, withFolder } from "./campaign.js";
import { digestOfFile } from "./campaignDisk.js";
import { CommandLine, campaignPassphrase, startProgram } from "./commandLine.js";
import { debianDisk } from "./debianDisk.js";
import { openCampaignRepository, storedBytes } from "./inspector.js";

type Row = [string, string, string, string];

export const diskCampaign: Campaign = {
  summary: "a 4 GiB Debian disk, raw and qcow2, backed up and restored, also by rescue.mjs alone",
  defaultCount: 1,
  // Beside the disks: folders for temporary files are often too small for this.
  run: (options) => withFolder(false, (folder) => new DiskCampaign({ ...options, folder }).run(), inProject(".cache")),
};

/** The Node that runs this, and the libraries that it is linked with, into a folder that becomes a root. */
async function installNode(root: string): Promise<void> {
  const node = await realpath(process.execPath);
  await copyFile(node, join(root, "node"));
  const listed = execFileSync("ldd", [node], { encoding: "utf8" });
  for (const [library] of listed.matchAll(/\/\S+/g)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(await realpath(library), join(root, library));
  }
}

class DiskCampaign {
  readonly #folder: string;
  readonly #cli: CommandLine;
  readonly #violations: string[] = [];
  readonly #rows: Row[] = [];
  #digest = "";

  constructor({ folder }: CampaignOptions) {
    this.#folder = folder;
    this.#cli = new CommandLine(folder);
  }

  async run(): Promise<string[]> {
    const raw = await debianDisk();
    const qcow2 = join(this.#folder, "disk.qcow2");
    execFileSync("qemu-img", ["convert", "-O", "qcow2", raw, qcow2]);
    this.#digest = await this.#timed("SHA-256 of the disk", () => digestOfFile(raw));
    await this.#cli.json("init");
    await this.#backUp(raw, "vm/raw");
    await this.#backUp(qcow2, "vm/qcow2");
    await this.#restoreBoth();
    await this.#rescueBoth();
    printTable(["step", "took", "result", "SHA-256"], this.#rows);
    return this.#violations;
  }

  async #backUp(disk: string, group: string): Promise<void> {
    await this.#timed(`backup of ${group}`, async () => {
      await this.#cli.json("backup", disk, "--group", group, "--name", `disk=${disk}`);
      return mebibytes(await storedBytes(await openCampaignRepository(this.#cli.repository)));
    });
  }

  async #restoreBoth(): Promise<void> {
    for (const group of ["vm/raw", "vm/qcow2"]) {
      const target = join(this.#folder, "restored.raw");
      await this.#timed(`restore of ${group} as raw`, async () => {
        await this.#cli.json("restore", `${group}@latest`, "--to", target);
        return this.#compare(`restore of ${group} as raw`, target);
      });
    }
    const target = join(this.#folder, "restored.qcow2");
    await this.#timed("restore of vm/raw as qcow2", async () => {
      await this.#cli.json("restore", "vm/raw@latest", "--to", target);
      const flat = join(this.#folder, "flat.raw");
      execFileSync("qemu-img", ["convert", "-O", "raw", target, flat]);
      await rm(target);
      return this.#compare("restore of vm/raw as qcow2", flat);
    });
  }

  /** A copy of the folder, and a Node; for root in a file system of their own that holds nothing else. */
  async #rescueBoth(): Promise<void> {
    const alone = join(this.#folder, "alone");
    await cp(this.#cli.repository, join(alone, "repository"), { recursive: true });
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await installNode(alone);
    else console.log("not root: rescue.mjs could see the rest of the machine, too");
    for (const group of ["vm/raw", "vm/qcow2"]) {
      await this.#timed(`rescue.mjs of ${group}`, async () => {
        const args = (root: string) => [
          join(root, "repository", "rescue.mjs"),
          ...["restore", `${group}@latest`, "--disk", "disk", "--to", join(root, "disk.raw")],
        ];
        const options = { cwd: join(alone, "repository"), env: { REPRISE_PASSPHRASE: campaignPassphrase } };
        const program = isRoot ? "/usr/sbin/chroot" : process.execPath;
        const running = startProgram(program, isRoot ? [alone, "/node", ...args("/")] : args(alone), options);
        const { code, signal, stderr } = await running.ended;
        if (code === 0) return this.#compare(`rescue.mjs of ${group}`, join(alone, "disk.raw"));
        this.#violations.push(`rescue.mjs ended with ${code ?? signal}: ${stderr.slice(0, 1000)}`);
        return "failed";
      });
    }
  }

  async #compare(what: string, path: string): Promise<string> {
    const digest = await digestOfFile(path);
    await rm(path);
    if (digest !== this.#digest) this.#violations.push(`${what} differs`);
    return digest;
  }

  async #timed(what: string, step: () => Promise<string>): Promise<string> {
    const started = performance.now();
    const result = await step();
    const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    const isDigest = /^[0-9a-f]{64}$/.test(result);
    const verdict =
      isDigest && this.#digest !== "" ? (result === this.#digest ? "identical" : "DIFFERS") : isDigest ? "" : result;
    this.#rows.push([what, seconds, verdict, isDigest ? result : ""]);
    console.log(`${what}: ${seconds} ${result}`);
    return result;
  }
}
