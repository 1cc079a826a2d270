// What somebody outside needs to check the tests of a snapshot without the repository: the manifest that all statements speak
// of, the records, and the envelopes as they are and as cosign takes them. docs/evidence.md.

import { isOurError, RepriseError } from "../errors.js";
import { withoutKeyIds } from "../evidence/dsse.js";
import { encodeText } from "../format/bytes.js";
import { encodeCanonicalJson } from "../format/canonicalJson.js";
import { bytesToHex, objectName } from "../format/ids.js";
import { encodeRestoreTestRecord } from "../format/restoreTestRecord.js";
import { sha256 } from "../hash/digest.js";
import type { Catalog, Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import { type StoredTest, testHistory } from "./storedRecords.js";

export interface EvidenceFile {
  /** Safe as a file name. */
  name: string;
  bytes: Uint8Array;
}

export interface EvidenceExport {
  /** Oldest first; for a copy also those of its original, which speak of the original's manifest. */
  tests: readonly StoredTest[];
  files: readonly EvidenceFile[];
}

/** Reads the manifest from the storage. OBJECT_DAMAGED when it is not the one that the catalog has. */
export async function exportEvidence(
  repository: Repository,
  snapshot: Snapshot,
  catalog: Pick<Catalog, "records">,
  options: { signal?: AbortSignal } = {},
): Promise<EvidenceExport> {
  const object = objectName.snapshot(snapshot.sid);
  const manifest = await repository.objects.read(object, "snapshot", options);
  if (bytesToHex(sha256(manifest)) !== snapshot.digest) {
    throw new RepriseError("corrupt", "OBJECT_DAMAGED", `${object} has changed since the catalog was read`, {
      data: { object },
      hint: "run verify",
    });
  }
  const subjects = [snapshot.digest, snapshot.manifest.origin?.digest];
  const tests = testHistory(catalog).tests.filter(({ record }) => subjects.includes(record.backup.manifestDigest));
  const files = [
    { name: "manifest.json", bytes: manifest },
    ...(tests.length === 0
      ? []
      : [
          linesFile(
            "evidence.intoto.jsonl",
            tests.flatMap(({ envelopes }) => envelopes),
          ),
        ]),
    ...tests.flatMap(filesOfTest),
  ];
  return { tests, files };
}

function filesOfTest({ record, envelopes }: StoredTest): EvidenceFile[] {
  const base = `test-${record.recordId}`;
  const bytes = encodeCanonicalJson(encodeRestoreTestRecord(record));
  const forCosign = envelopes.flatMap((text, index) => {
    const bare = bareEnvelope(text);
    return bare === null ? [] : [{ name: `${base}.${index + 1}.cosign.json`, bytes: encodeText(bare) }];
  });
  return [{ name: `${base}.json`, bytes }, ...forCosign];
}

/** Null for what is none: anybody who can write to the repository can put it there. */
function bareEnvelope(text: string): string | null {
  try {
    return withoutKeyIds(text, "envelope");
  } catch (error) {
    if (isOurError(error)) return null;
    throw error;
  }
}

/** A line each: line ends inside an envelope are white space of its JSON. */
function linesFile(name: string, envelopes: readonly string[]): EvidenceFile {
  return { name, bytes: encodeText(envelopes.map((text) => `${text.replace(/[\r\n]+/g, " ")}\n`).join("")) };
}
