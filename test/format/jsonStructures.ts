// One sample of every structure that is stored as JSON, with its encoder, its decoder and the exact bytes it must have.

import { decodeConfig, encodeConfig, type RepositoryConfig } from "../../core/format/config.js";
import {
  decodeGcFinal,
  decodeGcPlan,
  encodeGcFinal,
  encodeGcPlan,
  type GcFinal,
  type GcPlan,
} from "../../core/format/gcPlan.js";
import type { BlobIdHex, PackName, Sid } from "../../core/format/ids.js";
import type { JobRecordData } from "../../core/format/jobRecord.js";
import { decodeKeySlot, encodeKeySlot, type KeySlot } from "../../core/format/keySlot.js";
import {
  decodeForgotten,
  decodeManifest,
  encodeForgotten,
  encodeManifest,
  type Forgotten,
  type Manifest,
  type VoidDecision,
} from "../../core/format/manifest.js";
import {
  decodeQuarantine,
  decodeRecord,
  encodeQuarantine,
  encodeRecord,
  type Quarantine,
  type RepositoryRecord,
} from "../../core/format/record.js";
import { decodeSession, encodeSession, type SessionAnnouncement } from "../../core/format/session.js";

export interface JsonStructure {
  name: string;
  value: object;
  encode(): Uint8Array;
  decode(bytes: Uint8Array): unknown;
  golden: string;
  /** Dotted names of members that may be null. */
  nullable?: string[];
  /** Dotted names of members of which any JSON value is right. */
  anything?: string[];
}

export const sampleSid = "00112233445566778899aabbccddeeff" as Sid;
const otherSid = "ffeeddccbbaa99887766554433221100" as Sid;
const pack = `${sampleSid}-0000002a` as PackName;
const at = "2026-11-21T02:00:00.000Z";
const by = "host (reprise 0.1.0)";
const what = "folder/object";

function structure<T extends object>(
  name: string,
  value: T,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array, what: string) => unknown,
  rest: Pick<JsonStructure, "golden" | "nullable" | "anything">,
): JsonStructure {
  return { name, value, encode: () => encode(value), decode: (bytes) => decode(bytes, what), ...rest };
}

const sampleConfig: RepositoryConfig = {
  repositoryId: sampleSid,
  createdAt: at,
  encryption: "aes-256-gcm",
  keyId: "0123456789abcdef",
  chunker: { minBytes: 65536, averageBytes: 262144, maxBytes: 4194304, segmentBytes: 16777216 },
  packBytes: 33554432,
  keeper: null,
  mac: "ab".repeat(32),
};

const sampleSlot: KeySlot = {
  slotId: sampleSid,
  repositoryId: otherSid,
  keyId: "0123456789abcdef",
  type: "passphrase",
  label: "ours",
  createdAt: at,
  kdf: { name: "scrypt", n: 65536, r: 8, p: 1, salt: "cd".repeat(32) },
  nonce: "ef".repeat(12),
  wrapped: "12".repeat(48),
};

const session: SessionAnnouncement = {
  sid: sampleSid,
  purpose: "backup",
  host: "host",
  pid: 4711,
  group: "vm/web1",
  startedAt: at,
  beat: 3,
};

export const sampleManifest: Manifest = {
  type: "snapshot",
  sid: sampleSid,
  namespace: "prod/eu",
  group: "vm/web1",
  time: "2026-11-21T02:00:00Z",
  finishedAt: "2026-11-21T02:03:04Z",
  host: "host",
  tool: { name: "reprise", version: "0.1.0" },
  mode: "offline",
  consistency: "crash",
  archives: [
    {
      name: "root",
      kind: "image",
      sizeBytes: 1048576,
      root: "34".repeat(32) as BlobIdHex,
      format: "raw",
      lost: [[4096, 512]],
    },
    { name: "web1.conf", kind: "file", sizeBytes: 17, root: "56".repeat(32) as BlobIdHex, format: "file", lost: [] },
  ],
  notes: "before the move",
  tags: ["daily"],
  protected: false,
  statistics: { bytesRead: 1, bytesNew: 2, bytesStored: 3, chunksTotal: 4, chunksNew: 5, durationMs: 6 },
  repairedFrom: null,
  origin: { repositoryId: otherSid, snapshot: otherSid, digest: "9a".repeat(32) },
};

const decision: VoidDecision = { type: "void", sid: sampleSid, at, by, reason: "silent" };
const forgotten: Forgotten = { sid: sampleSid, at, by, reason: "prune" };

function record(body: Partial<RepositoryRecord>): RepositoryRecord {
  return { rid: sampleSid, snapshots: [otherSid], sequence: 7, at, by, origin: null, ...body } as RepositoryRecord;
}

const jobData: JobRecordData = {
  ...{ job: "weekly", command: "verify", outcome: "passed", trigger: "scheduled", host: "host" },
  ...{ startedAt: at, finishedAt: at, scheduledFor: at, partial: false, slice: { part: 3, of: 7 } },
  machines: [{ machine: "vm/web1", outcome: "passed", snapshot: otherSid }],
};
const damaged = [{ snapshot: otherSid, archive: "root", offset: 4096, length: 512 }];
const quarantine: Quarantine = { rid: sampleSid, at, by, blobs: [{ pack, id: "78".repeat(32) }] };
const plan: GcPlan = { gid: sampleSid, at, by, victims: [pack] };
const final: GcFinal = { gid: sampleSid, at, by, delete: [pack] };

const head = `"at":"${at}","by":"${by}"`;
const ofRecord = (data: string, type: string, origin = "null") =>
  `{${head},"data":${data},"origin":${origin},"rid":"${sampleSid}","sequence":7,"snapshots":["${otherSid}"],"type":"${type}","version":1}`;

export const jsonStructures: JsonStructure[] = [
  structure("config", sampleConfig, encodeConfig, decodeConfig, {
    golden: `{"chunker":{"algorithm":"gear64-nc1","averageBytes":262144,"maxBytes":4194304,"minBytes":65536,"segmentBytes":16777216},"createdAt":"${at}","encryption":"aes-256-gcm","keyId":"0123456789abcdef","mac":"${"ab".repeat(32)}","packBytes":33554432,"repositoryId":"${sampleSid}","version":1}`,
  }),
  structure(
    "open config",
    { ...sampleConfig, encryption: "none" as const, keyId: null, mac: null },
    encodeConfig,
    decodeConfig,
    {
      golden: `{"chunker":{"algorithm":"gear64-nc1","averageBytes":262144,"maxBytes":4194304,"minBytes":65536,"segmentBytes":16777216},"createdAt":"${at}","encryption":"none","keyId":null,"mac":null,"packBytes":33554432,"repositoryId":"${sampleSid}","version":1}`,
      nullable: ["keyId", "mac"],
    },
  ),
  structure("passphrase slot", sampleSlot, encodeKeySlot, decodeKeySlot, {
    golden: `{"createdAt":"${at}","kdf":{"n":65536,"name":"scrypt","p":1,"r":8,"salt":"${"cd".repeat(32)}"},"keyId":"0123456789abcdef","label":"ours","nonce":"${"ef".repeat(12)}","repositoryId":"${otherSid}","slotId":"${sampleSid}","type":"passphrase","version":1,"wrapped":"${"12".repeat(48)}"}`,
  }),
  structure(
    "recovery slot",
    { ...sampleSlot, type: "recovery" as const, kdf: { name: "hkdf-sha256" as const, salt: "cd".repeat(32) } },
    encodeKeySlot,
    decodeKeySlot,
    {
      golden: `{"createdAt":"${at}","kdf":{"name":"hkdf-sha256","salt":"${"cd".repeat(32)}"},"keyId":"0123456789abcdef","label":"ours","nonce":"${"ef".repeat(12)}","repositoryId":"${otherSid}","slotId":"${sampleSid}","type":"recovery","version":1,"wrapped":"${"12".repeat(48)}"}`,
    },
  ),
  structure("session", session, encodeSession, decodeSession, {
    golden: `{"beat":3,"group":"vm/web1","host":"host","pid":4711,"purpose":"backup","sid":"${sampleSid}","startedAt":"${at}","version":1}`,
    nullable: ["group"],
  }),
  structure("manifest", sampleManifest, encodeManifest, decodeManifest, {
    golden: `{"archives":[{"format":"raw","kind":"image","lost":[[4096,512]],"name":"root","root":"${"34".repeat(32)}","sizeBytes":1048576},{"format":"file","kind":"file","lost":[],"name":"web1.conf","root":"${"56".repeat(32)}","sizeBytes":17}],"consistency":"crash","finishedAt":"2026-11-21T02:03:04Z","group":"vm/web1","host":"host","mode":"offline","namespace":"prod/eu","notes":"before the move","origin":{"digest":"${"9a".repeat(32)}","repositoryId":"${otherSid}","snapshot":"${otherSid}"},"protected":false,"repairedFrom":null,"sid":"${sampleSid}","statistics":{"bytesNew":2,"bytesRead":1,"bytesStored":3,"chunksNew":5,"chunksTotal":4,"durationMs":6},"tags":["daily"],"time":"2026-11-21T02:00:00Z","tool":{"name":"reprise","version":"0.1.0"},"type":"snapshot","version":1}`,
    nullable: ["repairedFrom", "origin"],
  }),
  structure("VOID", decision, encodeManifest, decodeManifest, {
    golden: `{${head},"reason":"silent","sid":"${sampleSid}","type":"void","version":1}`,
  }),
  structure("forgotten", forgotten, encodeForgotten, decodeForgotten, {
    golden: `{${head},"reason":"prune","sid":"${sampleSid}","version":1}`,
  }),
  structure("notes", record({ type: "notes", data: { text: "kept" } }), encodeRecord, decodeRecord, {
    golden: ofRecord('{"text":"kept"}', "notes"),
  }),
  structure("tags", record({ type: "tags", data: { tags: ["a", "b"] } }), encodeRecord, decodeRecord, {
    golden: ofRecord('{"tags":["a","b"]}', "tags"),
  }),
  structure("protection", record({ type: "protection", data: { protected: true } }), encodeRecord, decodeRecord, {
    golden: ofRecord('{"protected":true}', "protection"),
  }),
  structure(
    "verification",
    record({ type: "verification", data: { level: "data", result: "damaged", damaged } }),
    encodeRecord,
    decodeRecord,
    {
      golden: ofRecord(
        `{"damaged":[{"archive":"root","length":512,"offset":4096,"snapshot":"${otherSid}"}],"level":"data","result":"damaged"}`,
        "verification",
      ),
    },
  ),
  structure(
    "restore test",
    record({ type: "restoreTest", data: { record: { any: [1] }, envelopes: ["{}"] } }),
    encodeRecord,
    decodeRecord,
    { golden: ofRecord(`{"envelopes":["{}"],"record":{"any":[1]}}`, "restoreTest"), anything: ["data.record"] },
  ),
  structure("job", { ...record({ type: "job", data: jobData }), snapshots: [] }, encodeRecord, decodeRecord, {
    golden: `{${head},"data":{"command":"verify","finishedAt":"${at}","host":"host","job":"weekly","machines":[{"machine":"vm/web1","outcome":"passed","snapshot":"${otherSid}"}],"outcome":"passed","partial":false,"scheduledFor":"${at}","slice":{"of":7,"part":3},"startedAt":"${at}","trigger":"scheduled"},"origin":null,"rid":"${sampleSid}","sequence":7,"snapshots":[],"type":"job","version":1}`,
    nullable: ["data.scheduledFor", "data.slice", "data.machines.0.snapshot"],
  }),
  structure(
    "copied record",
    record({ type: "notes", data: { text: "kept" }, origin: { repositoryId: otherSid, rid: sampleSid } }),
    encodeRecord,
    decodeRecord,
    {
      golden: ofRecord('{"text":"kept"}', "notes", `{"repositoryId":"${otherSid}","rid":"${sampleSid}"}`),
      nullable: ["origin"],
    },
  ),
  structure("quarantine", quarantine, encodeQuarantine, decodeQuarantine, {
    golden: `{"at":"${at}","blobs":[{"id":"${"78".repeat(32)}","pack":"${pack}"}],"by":"${by}","rid":"${sampleSid}","version":1}`,
  }),
  structure("plan", plan, encodeGcPlan, decodeGcPlan, {
    golden: `{${head},"gid":"${sampleSid}","version":1,"victims":["${pack}"]}`,
  }),
  structure("final", final, encodeGcFinal, decodeGcFinal, {
    golden: `{${head},"delete":["${pack}"],"gid":"${sampleSid}","version":1}`,
  }),
];
