#!/usr/bin/env node
// Lists, checks and restores the snapshots of a Reprise repository with nothing but Node ≥ 22.15; see RESCUE.md. It
// never writes into the repository. It shares no code with Reprise: it was written from the pages in docs/format alone,
// and so is a second opinion about what the stored bytes mean.
//
// How a disk comes back:  snapshots/<id>  a manifest: names the machine's disks and the map of each
//                         a map           lists the chunks that make up a disk, in order
//                         packs/          large files that hold maps and chunks, each under a header with its id
// Every id is the digest of the bytes it names. What was damaged, swapped or forged on the way does not fit its id and
// is never written to your disk: a byte is either what was backed up, or you are told where it is missing.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import zlib from "node:zlib";

const usage = `usage: node rescue.mjs [--repo FOLDER] COMMAND
  list                                     what can be restored
  show SNAPSHOT                            all that is known about a snapshot
  check [SNAPSHOT]                         read and verify everything, write nothing
  restore SNAPSHOT --to FILE [--disk NAME] [--force] [--skip-damaged]
  files SNAPSHOT --to FOLDER [--force]     the machine's configuration files
  tree SNAPSHOT --to FOLDER [--disk NAME]  a folder that was backed up file by file; FOLDER must not exist
SNAPSHOT: the first digits of its id, vm/101@latest, vm/101@2026-01-31, vm/101~1; in a namespace: office:vm/101~1
Exit codes: 0 done, 1 failed, 2 could not run, 3 done with losses, 64 wrong usage. More in RESCUE.md.`;

// Whatever a file claims is compared with limits before memory is taken for it.
const MiB = 2 ** 20;
const envelopeKinds = { config: 1, "config.copy": 1, keys: 2, index: 4, snapshots: 5, forgotten: 9 }; // by folder
const repo = { folder: "", encrypted: false, keys: undefined, packs: [], open: undefined };

/** What does not hold, cannot be used; perhaps there is another copy. */
function checkThat(condition, message) {
  if (!condition) throw new Error(message);
}

/** Ends the program with an exit code and a sentence for people. */
function stop(exitCode, message) {
  throw Object.assign(new Error(message), { exitCode });
}

/** Does what broken disks or broken bytes may spoil; warns when told what it is about. Mistakes in here get through. */
function attempt(action, what) {
  try {
    return { value: action() };
  } catch (error) {
    const isMistake = ["TypeError", "RangeError", "ReferenceError"].includes(error.name) && error.code === undefined;
    if (isMistake || error.exitCode !== undefined) throw error;
    if (what !== undefined) say(`warning: ${what} is not usable: ${error.message}`);
    return { fault: error.message };
  }
}

/** Names come from files, files may be hostile, and terminals obey control characters. */
const printable = (text) => String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
const print = (text) => process.stdout.write(`${printable(text)}\n`);
const clearLine = process.stderr.isTTY ? "\r\x1b[K" : "";
const say = (text) => process.stderr.write(`${clearLine}${printable(text)}\n`);
const inGiB = (bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** Exactly these bytes of an open file. */
function readAt(fd, offset, length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0, count = 0; done < length; done += count) {
    count = fs.readSync(fd, bytes, done, length - done, offset + done);
    checkThat(count > 0, `the file ends before byte ${offset + length}`);
  }
  return bytes;
}

const u64 = (value) => BigInt.asUintN(64, value);
const rotate = (value, bits) => u64((value << bits) | (value >> (64n - bits)));
const [p1, p2, p3] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n];
const [p4, p5] = [0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];
const mix = (lane, input) => u64(rotate(u64(lane + input * p2), 31n) * p1);

// The checksum of everything stored is xxHash64 with seed 0: it finds damage and proves nothing. This one is slow, but
// enough for headers, lists and manifests. A chunk's payload is not checked with it: the digest says all that, and more.
function xxHash64(bytes) {
  const { length, buffer, byteOffset } = bytes;
  const view = new DataView(buffer, byteOffset, length);
  const [half, word] = [(i) => BigInt(view.getUint32(i, true)), (i) => view.getBigUint64(i, true)];
  let [at, a, b, c, d] = [0, u64(p1 + p2), p2, 0n, u64(-p1)];
  for (; at + 32 <= length; at += 32) {
    [a, b, c, d] = [mix(a, word(at)), mix(b, word(at + 8)), mix(c, word(at + 16)), mix(d, word(at + 24))];
  }
  let hash = at === 0 ? p5 : u64(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
  for (const lane of at === 0 ? [] : [a, b, c, d]) hash = u64((hash ^ mix(0n, lane)) * p1 + p4);
  hash = u64(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) hash = u64(rotate(hash ^ mix(0n, word(at)), 27n) * p1 + p4);
  for (; at + 4 <= length; at += 4) hash = u64(rotate(hash ^ u64(half(at) * p1), 23n) * p2 + p3);
  for (; at < length; at += 1) hash = u64(rotate(hash ^ u64(BigInt(bytes[at]) * p5), 11n) * p1);
  hash = u64((hash ^ (hash >> 33n)) * p2);
  hash = u64((hash ^ (hash >> 29n)) * p3);
  return hash ^ (hash >> 32n);
}

const hasChecksum = (bytes, stored, at) => xxHash64(bytes) === stored.readBigUInt64LE(at);
const hasLowChecksum = (bytes, stored, at) => Number(xxHash64(bytes) & 0xffffffffn) === stored.readUInt32LE(at);
const startsWith = (bytes, magic) => bytes.toString("latin1", 0, magic.length) === magic;

/** The raw LZ4 block format: some literals, then "copy `length` bytes from `distance` back", again and again. */
function unlz4(source, plainLength) {
  const plain = Buffer.alloc(plainLength);
  let [from, to] = [0, 0];
  const mustHold = (condition) => checkThat(condition, "it does not decompress (LZ4)"); // nor with undefined: at the end
  const readLength = (nibble) => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; length += more) more = source[from++];
    return length;
  };
  while (from < source.length) {
    const token = source[from++];
    const literals = readLength(token >> 4);
    mustHold(literals <= Math.min(source.length - from, plainLength - to));
    to += source.copy(plain, to, from, from + literals);
    from += literals;
    if (from === source.length) break; // the last sequence has literals only
    const distance = source[from++] + 256 * source[from++];
    const end = to + readLength(token & 15) + 4;
    mustHold(distance > 0 && distance <= to && end <= plainLength);
    for (; to < end; to += 1) plain[to] = plain[to - distance]; // may overlap itself, so byte by byte
  }
  return plain.subarray(0, to);
}

function decompress(codec, bytes, plainLength) {
  checkThat(codec <= 2, "its codec is unknown to this program");
  const room = { maxOutputLength: Math.max(plainLength, 64), chunkSize: Math.max(plainLength, 64) };
  const plain = [() => bytes, () => zlib.zstdDecompressSync(bytes, room), () => unlz4(bytes, plainLength)][codec]();
  checkThat(plain.length === plainLength, "its length is wrong");
  return plain;
}

// ── Keys (docs/format/encryption.md, key-slot.md) ───────────────────────────────────────────────────────────────────
const unhex = (text) => Buffer.from(text, "hex");
const hkdf = (key, salt, info) => Buffer.from(crypto.hkdfSync("sha256", key, salt, info, 32));
const hmac = (key, bytes) => crypto.createHmac("sha256", key).update(bytes).digest();
const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest();

/** AES-256-GCM with the tag at the end. */
function unseal(key, nonce, additional, sealed) {
  const decipher = crypto.createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  decipher.setAAD(additional).setAuthTag(sealed.subarray(-16));
  const plain = decipher.update(sealed.subarray(0, -16));
  const { fault } = attempt(() => decipher.final());
  checkThat(fault === undefined, "it does not decrypt: it was changed, or sealed with another key");
  return plain;
}

/** The 32 bytes of a recovery key as people type it (`RPRS1-XXXXX-…`); undefined when it is none. */
function recoveryBytes(text) {
  const letters = text.toUpperCase().replace(/[^0-9A-Z]/g, "");
  const digits = letters
    .replace(/^RPRS1/, "")
    .replace(/O/g, "0")
    .replace(/[IL]/g, "1");
  if (!/^[0-9A-HJKMNP-TV-Z]{56}$/.test(digits)) return undefined;
  let value = 0n;
  for (const digit of digits) value = value * 32n + BigInt("0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(digit));
  const bytes = unhex(value.toString(16).padStart(70, "0")); // the key, then 3 bytes against slips of the pen
  return sha256(bytes.subarray(0, 32)).subarray(0, 3).equals(bytes.subarray(32)) ? bytes.subarray(0, 32) : undefined;
}

/** The key that wraps the master key in a slot; undefined when the secret is not of the slot's kind. */
function slotKey({ name, n, r, p, salt }, secret) {
  if (name === "hkdf-sha256") {
    const recovery = recoveryBytes(secret);
    return recovery && hkdf(recovery, unhex(salt), "reprise/recovery/1");
  }
  checkThat(name === "scrypt" && [n, r, p].every(Number.isSafeInteger), "its key derivation is unknown");
  const sound = n >= 1024 && n <= 2 ** 20 && Number.isInteger(Math.log2(n)) && r > 0 && r <= 32 && p > 0 && p <= 16;
  checkThat(sound && 128 * n * r <= 2 ** 30, "its key derivation asks for too much");
  const limits = { N: n, r, p, maxmem: 128 * r * (n + p + 2) + MiB };
  return crypto.scryptSync(Buffer.from(secret.normalize("NFKC")), unhex(salt), 32, limits);
}

/** Never from an argument: everybody on a machine can read those. */
async function readSecret() {
  const { REPRISE_PASSPHRASE, REPRISE_PASSPHRASE_FILE, REPRISE_RECOVERY_KEY } = process.env;
  if (REPRISE_PASSPHRASE) return REPRISE_PASSPHRASE;
  if (REPRISE_PASSPHRASE_FILE) return fs.readFileSync(REPRISE_PASSPHRASE_FILE, "utf8").replace(/\r?\n$/, "");
  if (REPRISE_RECOVERY_KEY) return REPRISE_RECOVERY_KEY;
  if (!process.stdin.isTTY) stop(2, "this repository is encrypted: set REPRISE_PASSPHRASE (or another; see RESCUE.md)");
  const terminal = readline.createInterface({ input: process.stdin, terminal: true }); // no output, so no echo
  process.stderr.write("Passphrase or recovery key (not shown): ");
  const typed = await new Promise((resolve) => terminal.on("line", resolve).on("close", () => resolve(undefined)));
  terminal.close();
  process.stderr.write("\n");
  return typed ?? stop(2, "interrupted");
}

/** All keys, from the first slot that the secret opens. */
async function unlock(slotNames) {
  const slots = slotNames.map((name) => readJson(`keys/${name}`)).filter(Boolean);
  if (slots.length === 0) stop(2, "no key slot is readable, and without one nothing can be decrypted");
  const secret = await readSecret();
  for (const { repositoryId, slotId, kdf, nonce, wrapped } of slots) {
    const { value: key } = attempt(() => slotKey(kdf ?? {}, secret), `key slot ${slotId}`);
    // The master key was sealed together with these; JSON.stringify gives back the canonical JSON that was parsed.
    const bound = Buffer.from(["reprise/key-slot/1", repositoryId, slotId, JSON.stringify(kdf)].join("\0"));
    const { value: master } = attempt(() => unseal(key, unhex(nonce), bound, unhex(wrapped)));
    if (master === undefined) continue;
    const derive = (use) => hkdf(master, "", `reprise/${use}/1`);
    return { master, id: derive("key-id").subarray(0, 8), chunkId: derive("chunk-id"), config: derive("config") };
  }
  return stop(2, "wrong passphrase or recovery key: it opens none of the key slots");
}

// ── Objects: everything that is not a pack (docs/format/envelope.md) ────────────────────────────────────────────────
function listNames(folder, pattern) {
  const full = path.join(repo.folder, folder);
  if (!fs.existsSync(full)) return [];
  const { value = [] } = attempt(() => fs.readdirSync(full, { recursive: true }), `folder ${folder}`);
  return value.filter((name) => pattern.test(path.basename(name))).sort();
}

/** The contents of an object, checked in the order that gives each fault its own name. */
function readObject(name) {
  const kind = envelopeKinds[name.split("/")[0]];
  const [isOpen, maxLength] = [kind <= 2 || !repo.encrypted, kind <= 2 ? MiB : 64 * MiB];
  const file = path.join(repo.folder, name);
  checkThat(fs.statSync(file).size <= 64 + 4 * MiB + maxLength, "it is too large");
  const bytes = fs.readFileSync(file);
  checkThat(bytes.length >= 64 && startsWith(bytes, "RPRSOBJ1\x01"), "it is no object, or one of an unknown version");
  const [header, payload, plainLength] = [bytes.subarray(0, 56), bytes.subarray(64), bytes.readUInt32LE(16)];
  checkThat(bytes.readUInt32LE(12) === payload.length && plainLength <= maxLength, "its length is wrong");
  checkThat(hasChecksum(Buffer.concat([header, payload]), bytes, 56), "its checksum is wrong");
  checkThat(hasLowChecksum(Buffer.from(name), bytes, 20) && bytes[9] === kind, "it belongs to another name");
  checkThat(bytes[10] === (isOpen ? 0 : 1), "it is forged: it is encrypted and must not be, or the other way round");
  checkThat(bytes[11] <= 1, "its codec is unknown to this program");
  if (isOpen) return decompress(bytes[11], payload, plainLength);
  checkThat(bytes.subarray(24, 32).equals(repo.keys.id), "it was written with another key");
  const key = hkdf(repo.keys.master, bytes.subarray(32, 56), "reprise/object/1");
  const opened = unseal(key, Buffer.alloc(12), Buffer.concat([header, Buffer.from(name)]), payload);
  return decompress(bytes[11], opened, plainLength);
}

/** What an object says, or undefined after a warning. */
function readJson(name, check = () => {}) {
  return attempt(() => {
    const value = JSON.parse(readObject(name).toString("utf8"));
    checkThat(value?.version === 1, "its version is unknown to this program");
    check(value);
    return value;
  }, name).value;
}

async function openRepository(folder) {
  repo.folder = folder;
  const isThere = ["config", "packs", "snapshots"].some((name) => fs.existsSync(path.join(folder, name)));
  if (!isThere) stop(2, `there is no repository in ${folder}; say where it is with --repo FOLDER`);
  const config = readJson("config") ?? readJson("config.copy");
  const slotNames = listNames("keys", /^[0-9a-f]{32}$/);
  // A lost config is no reason to give up: all we need of it is whether the repository is encrypted.
  [repo.encrypted, repo.twoRoles] = [config ? config.encryption !== "none" : slotNames.length > 0, config?.keeper];
  if (config === undefined) say(`warning: going on as if it said "${repo.encrypted ? "" : "not "}encrypted"`);
  if (!repo.encrypted && slotNames.length > 0) stop(2, "the config was changed: not encrypted, yet there are keys");
  if (repo.encrypted) repo.keys = await unlock(slotNames);
  if (!repo.encrypted || config === undefined) return;
  const { mac, ...signed } = config;
  const sound = hmac(repo.keys.config, JSON.stringify(signed)).toString("hex") === mac;
  if (!sound) stop(2, "the config is forged: it was not written with this key. See RESCUE.md");
}

// ── Packs: what lies where (docs/format/pack.md, pack-index.md) ─────────────────────────────────────────────────────
/** id → places of its copies. Many maps, as one holds at most 16 million ids. A place: pack number · 2^32 + offset. */
const places = Array.from({ length: 256 }, () => new Map());
const placesOf = (id) => [places[id[0]].get(id.toString("latin1")) ?? []].flat();

function addPlace(pack, id, offset) {
  const [known, place] = [placesOf(id), pack.number * 2 ** 32 + offset];
  if (!known.includes(place)) places[id[0]].set(id.toString("latin1"), known.length > 0 ? [...known, place] : place);
}

/** Adds what a list says: 48 bytes per blob, which start with its id and its offset. */
function addEntries(pack, list) {
  for (let at = 0; at < list.length; at += 48) addPlace(pack, list.subarray(at, at + 32), list.readUInt32LE(at + 32));
}

/** Learns where everything lies: from the index where it can be trusted, else from the packs themselves. */
function findPlaces() {
  for (const relative of listNames("packs", /^[0-9a-f]{32}-[0-9a-f]{8}$/)) {
    const [name, file] = [path.basename(relative), path.join(repo.folder, "packs", relative)];
    const { value: size } = attempt(() => fs.statSync(file).size, `pack ${name}`);
    if (size !== undefined) repo.packs.push({ name, file, size, number: repo.packs.length, indexed: false });
  }
  const packByName = new Map(repo.packs.map((pack) => [pack.name, pack]));
  for (const name of listNames("index", /^[0-9a-f]{32}-\w+$/)) {
    attempt(() => addIndex(readObject(`index/${name}`), packByName), `index/${name}`);
  }
  for (const pack of repo.packs) if (!pack.indexed) addOwnEntries(pack);
}

/** The index is a hint: it counts for a pack that is there with exactly the size that the index says. */
function addIndex(bytes, packByName) {
  checkThat(bytes.readUInt32LE(0) === 1, "its version is unknown to this program");
  for (let [left, at] = [bytes.readUInt32LE(4), 8]; left > 0; left -= 1) {
    const [number, size, count] = [16, 20, 24].map((offset) => bytes.readUInt32LE(at + offset));
    const pack = packByName.get(`${bytes.toString("hex", at, at + 16)}-${number.toString(16).padStart(8, "0")}`);
    const list = bytes.subarray(at + 28, at + 28 + 48 * count);
    checkThat(list.length === 48 * count, "it is too short");
    at += 28 + list.length;
    if (pack?.size !== size) continue;
    addEntries(pack, list);
    pack.indexed = true;
  }
}

/** What a pack says about itself at its end; when that is destroyed, what a search finds. */
function addOwnEntries(pack) {
  pack.indexed = false;
  const { fault } = attempt(() => addEntries(pack, readEntries(pack)));
  if (fault === undefined) return;
  say(`warning: the end of pack ${pack.name} is not usable (${fault}); searching the pack for chunks`);
  attempt(() => searchForBlobs(pack), `pack ${pack.name}`);
}

function readEntries(pack) {
  const { fd } = openPack(pack);
  const footer = readAt(fd, Math.max(pack.size - 32, 0), 32);
  checkThat(startsWith(footer, "RPRSEND1") && hasChecksum(footer.subarray(0, 24), footer, 24), "its footer is damaged");
  const [count, start] = [footer.readUInt32LE(8), footer.readUInt32LE(12)];
  checkThat(count <= 1_048_576 && start + 48 * count + 96 === pack.size, "its footer does not fit it");
  const entries = readAt(fd, start, 48 * count);
  checkThat(hasChecksum(entries, footer, 16), "its list is damaged");
  return entries;
}

/** Takes every `BLOB` whose headerCheck holds, even inside payloads (a backup of a repository): the digest decides. */
function searchForBlobs(pack) {
  const { fd } = openPack(pack);
  for (let start = 64; start < pack.size; start += 65_536) {
    const length = Math.min(65_536 + 63, pack.size - start); // 63 more, for a header across two windows
    const { value: bytes = "" } = attempt(() => readAt(fd, start, length)); // a bad sector hides one window only
    for (let at = bytes.indexOf("BLOB"); at >= 0 && at < 65_536; at = bytes.indexOf("BLOB", at + 1)) {
      const blob = parseBlobHeader(bytes.subarray(at, at + 64));
      if (blob !== undefined) addPlace(pack, blob.id, start + at);
    }
  }
}

/** One pack is open at a time. Its header holds the salt of its key, and so is stored at both ends. */
function openPack(pack) {
  if (repo.open?.pack === pack) return repo.open;
  if (repo.open !== undefined) fs.closeSync(repo.open.fd);
  repo.open = undefined;
  const fd = fs.openSync(pack.file, "r");
  const headers = [0, pack.size - 96].map((offset) => attempt(() => readAt(fd, offset, 64)).value ?? Buffer.alloc(64));
  const isSound = (bytes) => startsWith(bytes, "RPRSPAK1\x01") && hasChecksum(bytes.subarray(0, 56), bytes, 56);
  const header = headers.find(isSound);
  const key = repo.encrypted && header && hkdf(repo.keys.master, header.subarray(32, 56), "reprise/pack/1");
  repo.open = { pack, fd, key };
  return repo.open;
}

/** The header of a blob (chunk, map page, map root or file: all are stored alike), or undefined when it is damaged. */
function parseBlobHeader(bytes) {
  const isSound = bytes.length === 64 && startsWith(bytes, "BLOB") && hasLowChecksum(bytes.subarray(0, 60), bytes, 60);
  const [plainLength, storedLength] = isSound ? [bytes.readUInt32LE(12), bytes.readUInt32LE(16)] : [];
  if (!(plainLength <= 4 * MiB && storedLength <= 4 * MiB + 65_536)) return undefined;
  const nonce = Buffer.concat([bytes.subarray(8, 12), Buffer.alloc(8)]); // the blob's ordinal
  return { bytes, codec: bytes[5], nonce, plainLength, storedLength, id: bytes.subarray(28, 60) };
}

/** One stored copy of a blob, proven to be what `id` names. */
function readCopy(pack, offset, id) {
  const { fd, key } = openPack(pack);
  const blob = parseBlobHeader(readAt(fd, offset, 64));
  checkThat(blob !== undefined, "its header is damaged");
  checkThat(blob.id.equals(id), "another blob lies there");
  const stored = readAt(fd, offset + 64, blob.storedLength);
  const additional = Buffer.concat([blob.bytes.subarray(0, 20), blob.bytes.subarray(28, 60)]);
  const { value: plain, fault = "its digest is wrong" } = attempt(() => {
    checkThat(!repo.encrypted || key, "both headers of the pack are damaged, and with them the salt of its key");
    const payload = repo.encrypted ? unseal(key, blob.nonce, additional, stored) : stored;
    return decompress(blob.codec, payload, blob.plainLength);
  });
  const digest = plain && (repo.encrypted ? hmac(repo.keys.chunkId, plain) : sha256(plain));
  if (digest?.equals(id)) return plain;
  // The difference matters to people only: damage happens, a forgery is somebody's work.
  throw new Error(`${hasChecksum(stored, blob.bytes, 20) ? "forged" : "damaged"}: ${fault}`);
}

/** The bytes that an id names, from whichever copy is sound. `length`: what the map says. */
function readBlob(id, length) {
  const faults = new Map();
  for (const isLastTry of [false, true]) {
    // Where the index leads nowhere, the packs themselves are asked.
    for (const pack of isLastTry ? repo.packs : []) if (pack.indexed) addOwnEntries(pack);
    for (const place of placesOf(id).filter((one) => !faults.has(one))) {
      const [pack, offset] = [repo.packs[Math.floor(place / 2 ** 32)], place % 2 ** 32];
      const { value, fault = "its length is not the one in the map" } = attempt(() => readCopy(pack, offset, id));
      if (value !== undefined && value.length === (length ?? value.length)) return value;
      faults.set(place, `pack ${pack.name} at ${offset}: ${fault}`);
    }
  }
  throw new Error([...faults.values()].join("; ") || `no pack holds ${id.toString("hex")}`);
}

// ── Snapshots and disks (docs/format/manifest.md, image-map.md) ─────────────────────────────────────────────────────
function checkManifest(value, sid) {
  checkThat(value.sid === sid, "it belongs to another name");
  if (value.type === "void") return;
  checkThat(Array.isArray(value.archives) && value.archives.length <= 256, "it is no manifest");
  const names = value.archives.flatMap((archive) => [archive?.name, archive?.root]);
  const texts = [value.namespace, value.group, value.time, value.finishedAt, ...names];
  checkThat(value.type === "snapshot" && texts.every((text) => typeof text === "string"), "it is no manifest");
  for (const archive of value.archives) {
    const { name, root, sizeBytes: size } = archive ?? {};
    const most = archive?.kind === "tree" ? Number.MAX_SAFE_INTEGER : 2 ** 46;
    const isNamed = /^(?![.-])[\w.-]{1,128}$/.test(name) && /^[0-9a-f]{64}$/.test(root); // no such name leaves its folder
    checkThat(isNamed && Number.isInteger(size) && size >= 0 && size <= most, "an impossible name or size");
  }
}

/** Every snapshot that counts, oldest first, and how many manifests are unreadable. */
function loadSnapshots() {
  const forgotten = new Set(repo.twoRoles ? [] : listNames("forgotten", /^[0-9a-f]{32}$/));
  const isForgotten = (sid) => forgotten.has(sid) && readJson(`forgotten/${sid}`)?.sid === sid; // damaged, it hides nothing
  const readManifest = (sid) => readJson(`snapshots/${sid}`, (value) => checkManifest(value, sid));
  const manifests = listNames("snapshots", /^[0-9a-f]{32}$/).map(readManifest);
  const snapshots = manifests.filter((manifest) => manifest?.type === "snapshot" && !isForgotten(manifest.sid));
  const order = ({ time, finishedAt, sid }) => `${time} ${finishedAt} ${sid}`;
  snapshots.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return { snapshots, unreadable: manifests.filter((manifest) => manifest === undefined).length };
}

const nameOf = ({ namespace, group, time }) => `${namespace === "" ? "" : `${namespace}:`}${group}@${time}`;
const ofKind = (snapshot, kind) => snapshot.archives.filter((archive) => archive.kind === kind);

function findSnapshot(snapshots, wanted) {
  const match = /^(?:([^:@~]*):)?((?:vm|ct|host)\/[^:@~]+)(?:@(.+)|~(\d+))?$/.exec(wanted);
  if (match === null && !/^[0-9a-f]+$/.test(wanted)) stop(64, `${wanted} is not how a snapshot is named`);
  const [, namespace = "", group, time = "latest", back = "0"] = match ?? [];
  const inGroup = snapshots.filter((one) => one.group === group && one.namespace === namespace);
  const byTime =
    time === "latest" ? [inGroup.at(-1 - Number(back))] : inGroup.filter((one) => one.time.startsWith(time));
  const found = match === null ? snapshots.filter(({ sid }) => sid.startsWith(wanted)) : byTime;
  if (found[0] === undefined) stop(2, `there is no snapshot ${wanted}; "list" shows what there is`);
  if (found.length > 1) stop(2, `several fit ${wanted}: ${found.map((one) => `${one.sid} ${nameOf(one)}`).join(", ")}`);
  return found[0];
}

/** A disk in order, in pieces: a chunk, zeros (no `id`), or a stretch whose part of the map is lost (`fault`). */
function* piecesOf({ name, root, sizeBytes }) {
  const { value: map, fault: rootFault } = attempt(() => readBlob(unhex(root)));
  checkThat(map !== undefined, `the map of disk ${name} is lost: ${rootFault}`);
  checkThat(map.length >= 24 && startsWith(map, "RPRSMAP1"), "it is no map");
  const [span, count] = [map.readUInt32LE(16), map.readUInt32LE(20)];
  const fits = map.readBigUInt64LE(8) === BigInt(sizeBytes) && count === Math.ceil(sizeBytes / Math.max(span, 1));
  checkThat(fits && map.length === 24 + 32 * count, "the map does not fit the disk");
  for (let page = 0; page < count; page += 1) {
    const [offset, id] = [page * span, map.subarray(24 + 32 * page, 56 + 32 * page)];
    const length = Math.min(span, sizeBytes - offset);
    const { value: pieces, fault } = attempt(() => piecesOfPage(id, offset, length));
    yield* pieces ?? [{ offset, length, fault }];
  }
}

function piecesOfPage(id, start, span) {
  if (id.every((byte) => byte === 0)) return [{ offset: start, length: span }];
  const page = readBlob(id);
  checkThat(page.length >= 16 && startsWith(page, "RPRSPAG1"), "it is no page of a map");
  const [count, pieces] = [page.readUInt32LE(8), []];
  let [offset, nextId] = [start, 16 + 4 * count];
  checkThat(page.length === nextId + 32 * page.readUInt32LE(12), "a page of the map has a wrong length");
  for (let entry = 0; entry < count; entry += 1) {
    const word = page.readUInt32LE(16 + 4 * entry);
    const [isZero, length] = [word >= 2 ** 31, word % 2 ** 31];
    pieces.push({ offset, length, id: isZero ? undefined : page.subarray(nextId, nextId + 32) });
    nextId += isZero ? 0 : 32;
    offset += length;
  }
  checkThat(offset === start + span && nextId === page.length, "a page of the map does not fit the disk");
  return pieces;
}

// ── File trees (docs/format/file-tree.md) ───────────────────────────────────────────────────────────────────────────
/** One node: what it refers to, and a reader of its body. */
function readNode(id) {
  const bytes = readBlob(id);
  checkThat(bytes.length >= 32 && startsWith(bytes, "RPRSTRE1") && bytes[8] <= 4, "it is no node of a file tree");
  const [count, refs] = [bytes.readUInt32LE(12), []];
  checkThat(32 + 40 * count <= bytes.length, "a node has a wrong length");
  for (let at = 32; at < 32 + 40 * count; at += 40) {
    const length = bytes.readUInt32LE(at) + (bytes.readUInt32LE(at + 4) % 2 ** 24) * 2 ** 32;
    refs.push({ isNode: bytes[at + 7] === 1, length, id: bytes.subarray(at + 8, at + 40) });
  }
  let at = 32 + 40 * count;
  const take = (length) => {
    checkThat(at + length <= bytes.length, "a node ends too early");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const [u8, u16, u32] = [() => take(1)[0], () => take(2).readUInt16LE(), () => take(4).readUInt32LE()];
  const u64 = () => Number(take(8).readBigUInt64LE());
  const seconds = () => Number(take(8).readBigInt64LE()) + u32() / 1e9;
  return { type: bytes[8], level: bytes[9], refs, take, u8, u16, u32, u64, seconds };
}

/** References with the holes between them. */
function withHoles(node, refs) {
  const pieces = [...refs];
  const holes = Array.from({ length: Math.min(node.u32(), refs.length + 1) }, () => [node.u32(), node.u64()]);
  for (const [before, length] of holes.reverse()) pieces.splice(before, 0, { length });
  return pieces;
}

/** The entries of a folder, each with the pieces of its content or the id of the folder it is. */
function* entriesOf(id, depth = 0) {
  checkThat(depth < 3, "pages of a folder are nested");
  const node = readNode(id);
  if (node.type === 2) for (const { id: page } of node.refs) yield* entriesOf(page, depth + 1);
  if (node.type > 1) return;
  const refs = node.refs[Symbol.iterator]();
  const next = () => refs.next().value ?? checkThat(false, "a folder refers to too little");
  for (let left = node.u32(); left > 0; left -= 1) {
    const [kind, flags, name, mode] = [node.u8(), node.u8(), node.take(node.u16()), node.u16()];
    const [uid, gid, links, device, inode] = [node.u32(), node.u32(), node.u32(), node.u16(), node.take(8)];
    const [modified] = [node.seconds(), node.seconds(), flags & 1 && node.seconds()];
    const entry = { kind, name, mode, uid, gid, modified, link: links > 1 && `${device} ${inode.toString("hex")}` };
    if (kind === 0) {
      entry.size = node.u64();
      const count = flags & 4 ? 1 : Math.min(node.u32(), node.refs.length);
      const pieces = Array.from({ length: count }, next);
      entry.pieces = flags & 4 ? pieces : withHoles(node, pieces);
    } else if (kind === 1) [entry.count, entry.folder] = [node.u64(), next()];
    else if (kind === 2) entry.target = node.take(node.u16());
    else if (kind !== 5) entry.device = [node.u32(), node.u32()];
    if (flags & 8) for (let more = node.u16(); more > 0; more -= 1) readAttribute(node);
    if (flags & 16) next(); // what Node cannot set is not restored
    yield entry;
  }
}

function readAttribute(node) {
  const [name, value] = [node.u8(), node.u32()];
  node.take(name + value);
}

/** Chunks and holes of a file with their places; what is lost has a fault. */
function* chunksOf(pieces, start = 0, level = 4) {
  let offset = start;
  for (const { isNode, length, id } of pieces) {
    if (!isNode) yield { offset, length, id };
    else {
      const { value: list, fault } = attempt(() => {
        const node = readNode(id);
        checkThat(node.type === 3 && node.level < level, "it is no list of a file's chunks");
        return { level: node.level, pieces: withHoles(node, node.refs) };
      });
      if (fault !== undefined) yield { offset, length, fault };
      else yield* chunksOf(list.pieces, offset, list.level);
    }
    offset += length;
  }
}

/** Walks down; `visit` gets each entry with its path, and true again when a folder is done. Returns the lost bytes. */
function walkTree(folder, { visit, onLost }, above = []) {
  if (above.length > 4096) return;
  const { fault } = attempt(() => {
    for (const entry of entriesOf(folder.id)) {
      const isSafe =
        !["", ".", ".."].includes(entry.name.toString("latin1")) && !/[\0/]/.test(entry.name.toString("latin1"));
      checkThat(isSafe, "a name that no file can have");
      const names = [...above, entry.name];
      visit(entry, names, false);
      if (entry.folder !== undefined) {
        walkTree(entry.folder, { visit, onLost }, names);
        visit(entry, names, true);
      }
    }
  });
  if (fault !== undefined) onLost(above, folder.length, fault);
}

const rootOf = ({ root }) => [...entriesOf(unhex(root))][0] ?? checkThat(false, "the tree has no root");
const shownPath = (names) => `/${names.join("/")}`;

/** For `check`: reads every file of a tree. Returns how many bytes are lost; with a folder of empty files at least one. */
function readTree(snapshot, archive, read) {
  let lost = 0;
  const onLost = (names, length, fault) => {
    lost += Math.max(length, 1);
    say(`damaged: ${archive.name} of ${nameOf(snapshot)}, ${shownPath(names)}: ${fault}`);
  };
  const visit = ({ pieces = [] }, names) => {
    for (const { length, id, fault: listFault } of chunksOf(pieces)) {
      const { fault = listFault } = attempt(() => id && read(id, length));
      if (fault !== undefined) onLost(names, length, fault);
    }
  };
  const { value: root, fault } = attempt(() => rootOf(archive));
  if (root === undefined) onLost([], archive.sizeBytes, fault);
  else walkTree(root.folder, { visit, onLost });
  return lost;
}

/** Makes the folder and everything in it; owners only as root. Attributes, devices and fifos are for the real program. */
function restoreTree(snapshot, { to, disk }) {
  const trees = ofKind(snapshot, "tree").filter(({ name }) => disk === undefined || name === disk);
  if (trees.length !== 1)
    stop(
      64,
      `choose with --disk: ${ofKind(snapshot, "tree")
        .map(({ name }) => name)
        .join(", ")}`,
    );
  const root = rootOf(trees[0]);
  const [linked, isRoot] = [new Map(), process.getuid?.() === 0];
  let lost = 0;
  const onLost = (names, _length, fault) => {
    lost += 1;
    say(`damaged: ${shownPath(names)}: ${fault}`);
  };
  const pathOf = (names) => Buffer.concat([Buffer.from(to), ...names.flatMap((name) => [Buffer.from("/"), name])]);
  const finish = (file, { uid, gid, mode, modified, kind }) => {
    if (isRoot) fs.lchownSync(file, uid, gid);
    if (kind !== 2) fs.chmodSync(file, mode);
    fs.lutimesSync(file, modified, modified);
  };
  const write = (fd, names, entry) => {
    for (const { offset, length, id, fault: listFault } of chunksOf(entry.pieces)) {
      const { value, fault = listFault } = attempt(() => id && readBlob(id, length));
      if (fault !== undefined) onLost(names, length, fault);
      else if (value) checkThat(fs.writeSync(fd, value, 0, value.length, offset) === value.length, "no room is left");
    }
    fs.ftruncateSync(fd, entry.size);
  };
  const visit = (entry, names, isDone) => {
    const file = pathOf(names);
    const { fault } = attempt(() => {
      const first = entry.link && linked.get(entry.link);
      if (entry.kind === 1) return isDone ? finish(file, entry) : fs.mkdirSync(file, 0o700);
      if (entry.kind > 2) return say(`left out: ${shownPath(names)} is a device or a fifo`);
      if (first) return fs.linkSync(first, file);
      if (entry.kind === 2) fs.symlinkSync(entry.target, file);
      else {
        const fd = fs.openSync(file, "wx", 0o600);
        attempt(() => write(fd, names, entry), shownPath(names));
        fs.closeSync(fd);
      }
      if (entry.link) linked.set(entry.link, file);
      return finish(file, entry);
    });
    if (fault !== undefined) onLost(names, 0, fault);
  };
  fs.mkdirSync(to, 0o700);
  walkTree(root.folder, { visit, onLost });
  finish(Buffer.from(to), root);
  say(`restored ${trees[0].name} to ${to}${lost > 0 ? `; ${lost} losses, named above` : ""}`);
  return lost > 0 || (trees[0].lost ?? []).length > 0 ? 3 : 0;
}

/** Goes through a disk or file; `use` gets what is not zero. Returns how many bytes are lost. */
function readArchive(snapshot, archive, { read = readBlob, use = () => {}, goOn }) {
  const { name, kind, root, sizeBytes } = archive;
  let [lost, shownAt] = [0, Date.now()];
  if (kind === "tree") return readTree(snapshot, archive, read);
  const pieces = kind === "image" ? piecesOf(archive) : [{ offset: 0, length: sizeBytes, id: unhex(root) }];
  for (const { offset, length, id, fault: pageFault } of pieces) {
    const { value, fault = pageFault } = attempt(() => id && read(id, length));
    if (value !== undefined) use(value, offset);
    if (fault !== undefined) {
      lost += length;
      say(`damaged: ${name} of ${nameOf(snapshot)}, ${length} bytes at byte ${offset}: ${fault}`);
      if (!goOn) break;
    }
    if (clearLine === "" || Date.now() - shownAt < 500) continue;
    shownAt = Date.now();
    process.stderr.write(`${clearLine}${printable(name)}: ${inGiB(offset)} of ${inGiB(sizeBytes)}`);
  }
  process.stderr.write(clearLine);
  return lost;
}

// ── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Fills TARGET.partial, and gives it its name only when everything is in it and on the disk. Returns the lost bytes. */
function writeArchive(snapshot, archive, target, { force, "skip-damaged": goOn }) {
  const partial = `${target}.partial`;
  for (const file of [target, partial]) {
    const found = fs.lstatSync(file, { throwIfNoEntry: false });
    if (found !== undefined && !(force && found.isFile())) stop(2, `${file} exists; --force replaces a plain file`);
  }
  fs.rmSync(partial, { force: true });
  const fd = fs.openSync(partial, "wx", 0o600);
  const use = (bytes, offset) => {
    checkThat(fs.writeSync(fd, bytes, 0, bytes.length, offset) === bytes.length, `${target} takes no more`);
  };
  let lost = 0;
  try {
    lost = readArchive(snapshot, archive, { use, goOn });
    checkThat(lost === 0 || goOn, "stopped at the first damage; --skip-damaged restores the rest, with zeros there");
    fs.ftruncateSync(fd, archive.sizeBytes); // what was not written is zero, and takes no room
    fs.fsyncSync(fd);
  } catch (error) {
    fs.closeSync(fd);
    fs.rmSync(partial);
    throw error;
  }
  fs.closeSync(fd);
  fs.renameSync(partial, target);
  return lost;
}

function restore(snapshot, options) {
  const disks = ofKind(snapshot, "image");
  const [archive, ...others] = disks.filter(({ name }) => options.disk === undefined || name === options.disk);
  if (!archive || others.length > 0) stop(64, `choose with --disk: ${disks.map(({ name }) => name).join(", ")}`);
  const lost = writeArchive(snapshot, archive, options.to, options);
  say(`restored ${archive.name} to ${options.to}${lost > 0 ? `; ${lost} bytes of it are lost, and zero there` : ""}`);
  const before = archive.lost ?? []; // what an earlier repair had to give up
  if (before.length > 0) say(`lost before that, and zero ([offset, length] in bytes): ${JSON.stringify(before)}`);
  return lost > 0 || before.length > 0 ? 3 : 0;
}

function restoreFiles(snapshot, { to, force }) {
  fs.mkdirSync(to, { recursive: true });
  const write = (archive) => writeArchive(snapshot, archive, path.join(to, archive.name), { force });
  const results = ofKind(snapshot, "file").map((archive) => attempt(() => write(archive), `file ${archive.name}`));
  return results.some(({ fault }) => fault !== undefined) ? 1 : 0;
}

/** Reads every sound chunk once, and reports a damaged one wherever it is missed. */
function check(snapshots) {
  const sound = Array.from({ length: 256 }, () => new Set());
  const read = (id, length) => {
    const [known, key] = [sound[id[0]], id.toString("latin1")];
    if (!known.has(key)) readBlob(id, length);
    known.add(key);
  };
  const isSound = (snapshot) => {
    const readOne = (archive) => attempt(() => readArchive(snapshot, archive, { read, goOn: true }), archive.name);
    const isWhole = snapshot.archives.map(readOne).every(({ value }) => value === 0);
    print(`${isWhole ? "sound  " : "DAMAGED"}  ${snapshot.sid.slice(0, 8)}  ${nameOf(snapshot)}`);
    return isWhole;
  };
  return snapshots.map(isSound).every(Boolean) ? 0 : 1;
}

function list(snapshots) {
  for (const snapshot of snapshots) {
    const disks = snapshot.archives
      .filter(({ kind }) => kind !== "file")
      .map(({ name, sizeBytes }) => `${name} (${inGiB(sizeBytes)})`);
    print(`${snapshot.sid.slice(0, 8)}  ${nameOf(snapshot)}  ${disks.join(", ")}  ${snapshot.notes ?? ""}`);
  }
}

async function main() {
  const [text, flag] = [{ type: "string" }, { type: "boolean" }];
  const options = { repo: text, to: text, disk: text, force: flag, "skip-damaged": flag };
  const { value: given, fault } = attempt(() => parseArgs({ options, allowPositionals: true }));
  const { values, positionals } = given ?? stop(64, fault);
  const [command, wanted] = positionals;
  const least = { list: 1, check: 1, show: 2, restore: 2, files: 2, tree: 2 }[command];
  const fits = least <= positionals.length && positionals.length <= (command === "list" ? 1 : 2);
  if (!fits || /^(restore|files|tree)$/.test(command) !== (values.to !== undefined)) stop(64, "wrong usage");
  if (zlib.zstdDecompressSync === undefined) stop(2, `Node ${process.version} is too old; 22.15 or later can do it`);
  await openRepository(values.repo ?? path.dirname(fileURLToPath(import.meta.url)));
  const { snapshots, unreadable } = loadSnapshots();
  const chosen = wanted === undefined ? snapshots : [findSnapshot(snapshots, wanted)];
  if (command === "show") return JSON.stringify(chosen[0], null, 2).split("\n").forEach(print);
  if (command === "list") return list(snapshots) ?? (unreadable > 0 ? 3 : 0);
  const isInside = values.to && path.resolve(values.to, "x").startsWith(path.resolve(repo.folder) + path.sep);
  if (isInside) stop(2, `${values.to} lies inside the repository; choose another folder`);
  findPlaces();
  if (command === "check") return check(chosen) || (wanted === undefined && unreadable > 0 ? 1 : 0);
  return { restore, files: restoreFiles, tree: restoreTree }[command](chosen[0], values);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = error.exitCode ?? (repo.packs.length > 0 ? 1 : 2);
  if (process.exitCode === 64) console.error(usage);
}
