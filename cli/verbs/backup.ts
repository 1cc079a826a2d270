import {
  type BackupRequest,
  type BackupResult,
  backUp,
  type CodecChoice,
  type DiskInput,
  formatTime,
  type ImageFormat,
  InputDisks,
  imageFormats,
  type NamedPath,
  readConfigFile,
  type Traffic,
} from "../../core/index.js";
import { nonEmptyInput, treeInputs } from "../backupInputs.js";
import type { Context } from "../context.js";
import { parseRate } from "../given/amounts.js";
import { nameArchives } from "../given/archiveNames.js";
import { type Given, usageError } from "../given/given.js";
import { checkNotes, checkTags } from "../given/labels.js";
import { NAMESPACE_OPTION, readMachine } from "../given/machine.js";
import { backupLines } from "../output/backupText.js";
import { trafficLine } from "../output/trafficText.js";
import { archiveDocument } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

const CODECS = ["zstd", "lz4", "none"] as const;
const STANDARD_LEVEL = 3;
const MAX_LEVEL = 19;
const MAX_SAMPLE_READS = 1000;

export const backupVerb: Verb = {
  name: "backup",
  summary: "back up the disks of a machine, or folders of this one",
  details: [
    "DISK is a raw file, a block device, a qcow2, vmdk, vhdx or vdi image, or - for standard input. The disks and configuration files of one call become one snapshot.",
    "--dir stores a folder with everything below it, file by file: names, modes, owners, times, extended attributes, links and holes. The next backup opens only files that have changed. A file that cannot be read is a warning (exit code 3), and the rest goes on. See it with ls, restore it with restore SNAPSHOT:/NAME/fs.",
    "A disk is named after its file (web1.qcow2 becomes web1; with the folder in front where two would be equal), or by --name NAME=PATH.",
  ],
  operands: [{ name: "[disk...]", description: "disks to back up; - is standard input", completes: "file" }],
  options: [
    {
      flags: "-g, --group <machine>",
      description: "the machine: vm/NAME, ct/NAME or host/NAME",
      required: true,
      completes: "group",
    },
    NAMESPACE_OPTION,
    { flags: "--name <name=path>", description: "name of a disk in the snapshot", many: true, completes: "file" },
    {
      flags: "--config <file>",
      description: "a configuration file to keep with the disks, at most 4 MiB",
      many: true,
      completes: "file",
    },
    {
      flags: "--dir <folder>",
      description: "a folder to back up with everything below it",
      many: true,
      completes: "file",
    },
    {
      flags: "--exclude <rule>",
      description: "leave out files and folders, as in .gitignore",
      many: true,
      completes: "nothing",
    },
    { flags: "--exclude-file <file>", description: "such rules, one a line", many: true, completes: "file" },
    { flags: "--one-file-system", description: "enter no folder that is on another file system" },
    { flags: "--read-all", description: "read files that seem unchanged, too" },
    { flags: "--notes <text>", description: "a text to keep with the snapshot", completes: "nothing" },
    { flags: "--tag <tag>", description: "a tag", many: true, completes: "nothing" },
    { flags: "--protected", description: "no policy may remove the snapshot" },
    { flags: "--dry-run", description: "read and compare, store nothing" },
    { flags: "--codec <codec>", description: "compression of new chunks", choices: CODECS, standard: "zstd" },
    {
      flags: "--level <level>",
      description: `zstd level, 1 to ${MAX_LEVEL}`,
      standard: String(STANDARD_LEVEL),
      completes: "nothing",
    },
    {
      flags: "--format <format>",
      description: "format of the disks; give raw for disks of machines you do not trust",
      choices: imageFormats,
    },
    {
      flags: "--sample-reads <count>",
      description: "reads to spend on checking packs of others before relying on them; 0: none",
      standard: "8 with two roles, else 0",
      completes: "nothing",
    },
    { flags: "--allow-backing-file", description: "follow references of an image to other files" },
    {
      flags: "--bwlimit <rate>",
      description: "at most this many bytes a second to and from the storage, as in 20M",
      completes: "nothing",
    },
  ],
  examples: [
    { command: "reprise backup /var/lib/libvirt/images/web1.qcow2 --group vm/web1", meaning: "one disk" },
    {
      command:
        "reprise backup --name root=/dev/vg0/root --name data=/dev/vg0/data --config web1.xml --group vm/web1 --tag daily",
      meaning: "two volumes with names of their own, the machine's definition, and a tag",
    },
    {
      command: "reprise backup --dir /srv/www --dir /etc --exclude '*.tmp' --exclude /cache/ --group host/web1",
      meaning: "two folders, without temporary files",
    },
    { command: "zfs send tank/web1 | reprise backup - --group vm/web1 --name root", meaning: "from a stream" },
  ],
  run: runBackup,
};

async function runBackup(context: Context, given: Given): Promise<Answer> {
  const archives = nameArchives(given.operands, given.texts("config"), given.texts("name"), given.texts("dir"));
  if (archives.disks.length + archives.files.length + archives.trees.length === 0) {
    throw usageError("no disk is named", "give a file, a block device, - for standard input, or --dir FOLDER");
  }
  if (archives.disks.filter(({ path }) => path === "-").length > 1)
    throw usageError("standard input can be read only once");
  const request: Omit<BackupRequest, "disks" | "files"> = {
    ...readMachine(given),
    notes: checkNotes(given.text("notes") ?? ""),
    tags: checkTags(given.texts("tag"), "--tag"),
    protected: given.flag("protected"),
    codec: readCodec(given),
    dryRun: given.flag("dryRun"),
    sampleReads: given.integer("sampleReads", 0, MAX_SAMPLE_READS),
  };
  const bytesPerSecond = given.parsed("bwlimit", parseRate);
  const files = await Promise.all(archives.files.map((file) => readConfigFile(file, context.signal)));
  const trees = await treeInputs(given, archives.trees, context.signal);
  const opened = await openDisks(context, given, archives.disks);
  context.warmUp();
  const repository = await context.openRepository({ bytesPerSecond });
  const disks = await diskInputs(context, archives.disks, opened);
  const result = await backUp(repository, { ...request, disks, files, trees }, context.options);
  await opened.warnOfChanges(context.onWarning);
  const traffic = repository.backend.traffic?.() ?? null;
  return answerOf(request, result, disks, { nowMs: context.environment.now(), traffic });
}

function readCodec(given: Given): CodecChoice {
  const codec = (given.text("codec") ?? "zstd") as CodecChoice["codec"];
  const level = given.integer("level", 1, MAX_LEVEL);
  if (level !== undefined && codec !== "zstd") throw usageError(`--level is for zstd, not for ${codec}`);
  return { codec, level: level ?? STANDARD_LEVEL };
}

/** All but standard input. */
async function openDisks(context: Context, given: Given, disks: readonly NamedPath[]): Promise<InputDisks> {
  const format = given.text("format") as ImageFormat | undefined;
  const allowBackingFiles = given.flag("allowBackingFile");
  const files = disks.filter(({ path }) => path !== "-").map((disk) => ({ ...disk, format, allowBackingFiles }));
  return context.closeLater(await InputDisks.open(files, { signal: context.signal }));
}

/** In the order in which they were named. */
async function diskInputs(context: Context, disks: readonly NamedPath[], opened: InputDisks): Promise<DiskInput[]> {
  const images = opened.inputs;
  const inputs: DiskInput[] = [];
  for (const { name, path } of disks) {
    const image = path === "-" ? undefined : images.shift();
    inputs.push(image ?? { kind: "stream", name, stream: await nonEmptyInput(context.io.stdin, context.signal) });
  }
  return inputs;
}

function answerOf(
  request: Omit<BackupRequest, "disks" | "files">,
  { manifest, digest, statistics, trees }: BackupResult,
  disks: readonly DiskInput[],
  { nowMs, traffic }: { nowMs: number; traffic: Traffic | null },
): Answer {
  const document = {
    snapshotId: manifest?.sid ?? null,
    namespace: request.namespace,
    group: request.group,
    time: manifest?.time ?? formatTime(nowMs),
    digest,
    dryRun: request.dryRun,
    ...statistics,
    archives: manifest?.archives.map(archiveDocument) ?? [...disks, ...trees].map(({ name }) => ({ name })),
    trees,
    tags: request.tags,
    protected: request.protected,
    traffic,
  };
  const summary = backupLines(request, manifest, statistics, trees);
  if (traffic !== null) summary.push(trafficLine(traffic));
  return { document, lines: [], summary };
}
