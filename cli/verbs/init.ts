import { type FileHandle, open, rm } from "node:fs/promises";
import {
  type ChunkerParams,
  checkChunkerParams,
  DEFAULT_CHUNKER,
  DEFAULT_PACK_BYTES,
  type InitResult,
  initRepository,
  openBackend,
  RepriseError,
  rescueFiles,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { parseSize } from "../given/amounts.js";
import type { Given } from "../given/given.js";
import { recoveryKeyLines } from "../output/recoveryKeyText.js";
import { type Line, styled } from "../output/text.js";
import { bytesText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";

const KIB = 1024;
const MIB = 1024 * KIB;

export const initVerb: Verb = {
  name: "init",
  summary: "make a new repository",
  details: [
    "The repository is encrypted with a random key, which your passphrase opens. A recovery key opens it, too: it is printed once. Keep it somewhere else than the passphrase.",
  ],
  operands: [],
  options: [
    { flags: "--no-encryption", description: "store everything readable; cannot be changed later" },
    {
      flags: "--average-chunk <size>",
      description: "aimed-at size of a chunk, a power of two; cannot be changed later",
      standard: `${DEFAULT_CHUNKER.averageBytes / KIB}K`,
      completes: "nothing",
    },
    {
      flags: "--pack-size <size>",
      description: "size of the stored objects, 1M to 64M",
      standard: `${DEFAULT_PACK_BYTES / MIB}M`,
      completes: "nothing",
    },
    {
      flags: "--recovery-key-file <file>",
      description: "write the recovery key into a new file instead of printing it",
      completes: "file",
    },
  ],
  examples: [
    { command: "reprise init --repo /srv/backup", meaning: "asks for a passphrase twice" },
    {
      command: "REPRISE_PASSPHRASE=… reprise init --repo /srv/backup --recovery-key-file key.txt --json",
      meaning: "in a script",
    },
  ],
  run: runInit,
};

async function runInit(context: Context, given: Given): Promise<Answer> {
  const chunker = chunkerOf(given);
  const packBytes = given.parsed("packSize", parseSize) ?? DEFAULT_PACK_BYTES;
  const encrypted = given.flag("encryption");
  const passphrase = encrypted ? await context.secrets.forInit(context.location) : null;
  const keyPath = encrypted ? given.text("recoveryKeyFile") : undefined;
  const keyFile = keyPath === undefined ? undefined : await createKeyFile(keyPath);
  try {
    const backend = context.closeLater(await openBackend(context.location, { create: true }));
    const { environment, signal, settings } = context;
    const { cacheFolder } = settings;
    const rescue = rescueFiles();
    const made = await initRepository(backend, {
      passphrase,
      chunker,
      packBytes,
      environment,
      cacheFolder,
      rescue,
      signal,
    });
    if (keyFile && made.recoveryKey !== null) await fillKeyFile(keyFile, made.recoveryKey);
    return answerOf(context, made, keyPath);
  } catch (error) {
    // an unused key file must not look like a key
    if (keyFile && keyPath !== undefined) await rm(keyPath, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await keyFile?.close();
  }
}

/** The smallest and the largest chunk follow the average, as in the standard parameters. */
function chunkerOf(given: Given): ChunkerParams {
  const averageBytes = given.parsed("averageChunk", parseSize) ?? DEFAULT_CHUNKER.averageBytes;
  const scale = averageBytes / DEFAULT_CHUNKER.averageBytes;
  const chunker = {
    ...DEFAULT_CHUNKER,
    minBytes: Math.min(DEFAULT_CHUNKER.minBytes * scale, MIB),
    averageBytes,
    maxBytes: Math.min(DEFAULT_CHUNKER.maxBytes * scale, DEFAULT_CHUNKER.maxBytes),
  };
  checkChunkerParams(chunker);
  return chunker;
}

/** Before the repository is made: a key that cannot be written down must not be lost. */
async function createKeyFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === "EEXIST" ? "exists already" : "cannot be made";
    throw new RepriseError("usage", "RECOVERY_KEY_FILE", `the file for the recovery key, ${path}, ${reason}`, {
      data: { path },
      hint: "name a new file in a folder that can be written",
      cause,
    });
  }
}

async function fillKeyFile(file: FileHandle, recoveryKey: string): Promise<void> {
  await file.writeFile(`${recoveryKey}\n`);
  await file.sync();
}

function answerOf(context: Context, { repository, recoveryKey }: InitResult, keyPath: string | undefined): Answer {
  const { config } = repository;
  const { location } = repository.backend;
  const printedKey = keyPath === undefined ? recoveryKey : null;
  const document = {
    repository: location,
    repositoryId: config.repositoryId,
    createdAt: config.createdAt,
    encrypted: config.encryption !== "none",
    chunker: config.chunker,
    packBytes: config.packBytes,
    recoveryKey: printedKey,
    recoveryKeyFile: keyPath ?? null,
  };
  const { averageBytes } = config.chunker;
  const summary: Line[] = [
    `made a repository in ${location}: chunks of ${bytesText(averageBytes)}, packs of ${bytesText(config.packBytes)}`,
  ];
  if (!document.encrypted)
    summary.push(styled("yellow", "not encrypted: whoever can read the storage can read the disks"));
  if (keyPath !== undefined)
    summary.push(`the recovery key is in ${keyPath}: keep it somewhere else, and not beside the passphrase`);
  const lines = printedKey === null ? [] : recoveryKeyLines(printedKey, { qrCode: context.io.stdout.isTTY === true });
  return { document, lines, summary };
}
