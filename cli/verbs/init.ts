import {
  type ChunkerParams,
  checkChunkerParams,
  createBucket,
  DEFAULT_CHUNKER,
  DEFAULT_PACK_BYTES,
  type InitResult,
  initRepository,
  isOurError,
  KeeperKey,
  keeperFingerprint,
  openBackend,
  rescueFiles,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { parseSize } from "../given/amounts.js";
import { type Given, optionName, usageError, wrongValue } from "../given/given.js";
import { recoveryKeyLines } from "../output/recoveryKeyText.js";
import { type Line, styled } from "../output/text.js";
import { bytesText } from "../output/units.js";
import { PRINTED_KINDS, type PrintedKind, s3PolicyAnswer } from "../s3PolicyAnswer.js";
import { readKeeperKey } from "../secret/keeperSource.js";
import { NewSecretFile } from "../secret/newSecretFile.js";
import type { Answer, Verb } from "../verb.js";

const KIB = 1024;
const MIB = 1024 * KIB;
/** What S3 allows: a hundred years. */
const MAX_LOCK_DAYS = 36_500;

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
    { flags: "--create-bucket", description: "make the S3 bucket, with versioning, when it does not exist" },
    {
      flags: "--object-lock [days]",
      description: "with --create-bucket: object lock; with days, nothing can be destroyed for as long",
      completes: "nothing",
    },
    {
      flags: "--new-keeper-key <file>",
      description:
        "two roles: make a keeper's key, write it into a new file, and let only its owner forget and collect",
      completes: "file",
    },
    {
      flags: "--print-policy <kind>",
      description:
        "make nothing; print what to tell the S3 bucket: s3-bucket for both roles, or for a user or role of each; haproxy: what to tell a proxy in front of it",
      choices: PRINTED_KINDS,
    },
    {
      flags: "--runner <arn>",
      description: "with --print-policy s3-bucket: who backs up",
      completes: "nothing",
    },
    {
      flags: "--keeper <arn>",
      description: "with --print-policy s3-bucket: who forgets and collects",
      completes: "nothing",
    },
    {
      flags: "--proxy <address>",
      description: "with --print-policy s3-bucket or s3-runner: where runners' writes must come from",
      completes: "nothing",
    },
  ],
  examples: [
    { command: "reprise init --repo /srv/backup", meaning: "asks for a passphrase twice" },
    {
      command: "REPRISE_PASSPHRASE=… reprise init --repo /srv/backup --recovery-key-file key.txt --json",
      meaning: "in a script",
    },
    {
      command: "reprise init --repo s3:https://s3.example.com/backup --create-bucket",
      meaning: "in a new S3 bucket; credentials as the AWS tools take them",
    },
  ],
  run: runInit,
};

async function runInit(context: Context, given: Given): Promise<Answer> {
  const policy = given.text("printPolicy");
  if (policy !== undefined) return s3PolicyAnswer(policy as PrintedKind, context.location, given);
  for (const option of ["runner", "keeper", "proxy"])
    if (given.has(option)) throw usageError(`${optionName(option)} goes with --print-policy s3-bucket`);
  const chunker = chunkerOf(given);
  const bucket = bucketOf(given, context.location);
  const packBytes = packBytesOf(given);
  const encrypted = given.flag("encryption");
  const passphrase = encrypted ? await context.secrets.forInit(context.location) : null;
  const recoveryFile = encrypted
    ? await newFile(given, "recoveryKeyFile", "the recovery key", "RECOVERY_KEY_FILE")
    : undefined;
  const keeper = await keeperOf(context, given).catch(async (error: unknown) => {
    await recoveryFile?.discard();
    throw error;
  });
  try {
    if (bucket !== undefined) await makeBucket(context, bucket);
    const backend = context.closeLater(await openBackend(context.location, { ...context.connecting, create: true }));
    const { environment, signal, settings } = context;
    const made = await initRepository(backend, {
      passphrase,
      chunker,
      packBytes,
      environment,
      cacheFolder: settings.cacheFolder,
      keeperKey: keeper.key,
      trust: { ...context.keeperTrust(), expected: undefined },
      rescue: rescueFiles(),
      signal,
    });
    if (made.recoveryKey !== null) await recoveryFile?.write(`${made.recoveryKey}\n`);
    return answerOf(context, made, recoveryFile?.path, keeper.file?.path);
  } catch (error) {
    await recoveryFile?.discard();
    // after an error of the storage the repository may be there, and its keeper must not be lost
    if (isOurError(error) && error.family !== "backend") await keeper.file?.discard();
    throw error;
  } finally {
    await recoveryFile?.close();
    await keeper.file?.close();
  }
}

async function newFile(given: Given, option: string, what: string, code: string): Promise<NewSecretFile | undefined> {
  const path = given.text(option);
  return path === undefined ? undefined : await NewSecretFile.create(path, what, code);
}

/** A keeper's key that was given, or a new one, which is written down before it is used. */
async function keeperOf(context: Context, given: Given): Promise<{ key?: KeeperKey; file?: NewSecretFile }> {
  const file = await newFile(given, "newKeeperKey", "the keeper's key", "KEEPER_KEY_FILE");
  if (file === undefined) return { key: await readKeeperKey(context.settings, context.io) };
  const key = KeeperKey.generate();
  await file.write(key.toPem());
  return { key, file };
}

/** Warns where the storage cannot do what the repository or its owner would like. */
async function makeBucket(context: Context, options: { objectLock: boolean | number }): Promise<void> {
  const { bucket, created, conditionalPut } = await createBucket(context.location, {
    ...context.connecting,
    ...options,
  });
  if (!created) context.note(`the bucket ${bucket} is there already and stays as it is`);
  if (!conditionalPut) {
    context.onWarning({
      code: "S3_NO_CONDITIONAL_PUT",
      message: `${bucket}: this storage has no conditional puts: backups work, but gc will refuse to delete anything`,
      data: { bucket },
    });
  }
}

function bucketOf(given: Given, location: string): { objectLock: boolean | number } | undefined {
  if (!given.flag("createBucket")) {
    if (given.has("objectLock")) throw usageError("--object-lock goes with --create-bucket");
    return undefined;
  }
  if (!/^s3:/i.test(location)) throw usageError("--create-bucket is for repositories in S3", "leave it out");
  return { objectLock: given.integer("objectLock", 1, MAX_LOCK_DAYS) ?? given.flag("objectLock") };
}

/** Before a passphrase is asked for. */
function packBytesOf(given: Given): number {
  const bytes = given.parsed("packSize", parseSize) ?? DEFAULT_PACK_BYTES;
  if (bytes >= MIB && bytes <= 64 * MIB) return bytes;
  throw wrongValue("--pack-size", given.text("packSize") ?? "", "a size from 1M to 64M");
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
  try {
    checkChunkerParams(chunker);
  } catch (error) {
    if (!isOurError(error, "CHUNKER_INVALID")) throw error;
    throw wrongValue("--average-chunk", given.text("averageChunk") ?? "", "a power of two from 16K to 2M, as in 256K");
  }
  return chunker;
}

function answerOf(
  context: Context,
  { repository, recoveryKey }: InitResult,
  keyPath: string | undefined,
  keeperPath: string | undefined,
): Answer {
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
    keeper: config.keeper === null ? null : keeperFingerprint(config.keeper),
    keeperKeyFile: keeperPath ?? null,
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
  if (document.keeper !== null) summary.push(`two roles: only the keeper ${document.keeper} can forget and collect`);
  if (keeperPath !== undefined) summary.push(`the keeper's key is in ${keeperPath}: no runner may ever see it`);
  const lines = printedKey === null ? [] : recoveryKeyLines(printedKey, { qrCode: context.io.stdout.isTTY === true });
  return { document, lines, summary };
}
